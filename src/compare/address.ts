import { Refusal } from './refusal.ts';

export const ALLOWED_ADDRESSES = 'an address such as ws://127.0.0.1:8080/ws or wss://example.com/ws';

/** Reads the address of a server. */
export function readAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWebSocket = url?.protocol === 'ws:' || url?.protocol === 'wss:';
  if (url === undefined || !isWebSocket || url.hash !== '') throw new Refusal(withoutSecrets(text), ALLOWED_ADDRESSES);
  return url.href;
}

/** An address for reports: what stands before an @ and behind a ? may be secret. */
export function withoutSecrets(address: string): string {
  return address.replace(/\/\/[^/?#]*@/, '//…@').replace(/\?.*$/s, '?…');
}
