import type { MessagePort } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FromShard } from '../../src/control/messages.ts';
import { PrimaryLink } from '../../src/shard/primary-link.ts';

const ADDRESS = '192.0.2.1';
const FOR_EVER_MS = 60_000;

describe('a shard’s line to the primary', () => {
  let sent: FromShard[];
  let link: PrimaryLink;

  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    link = new PrimaryLink({ postMessage: (message: FromShard) => sent.push(message) } as unknown as MessagePort);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const idOfLast = () => (sent.at(-1) as { id: number }).id;

  it('hands an answer to who asked', async () => {
    const [first, second] = [link.admit(ADDRESS), link.query('stats')];
    link.settle({ kind: 'answer', id: idOfLast(), payload: { a: 1 } });
    link.settle({ kind: 'admitted', id: idOfLast() - 1, address: ADDRESS, admitted: true });
    expect(await first).toBe(true);
    expect(await second).toEqual({ a: 1 });
    expect(sent.map(({ kind }) => kind)).toEqual(['admit', 'query']);
  });

  it('rejects where no answer comes', async () => {
    const asked = expect(link.query('stats')).rejects.toThrow(/not answered/);
    vi.advanceTimersByTime(FOR_EVER_MS);
    await asked;
  });

  it('tells whoever waits at once when the primary is given up, and goes on with who asks later', async () => {
    const asked = [link.query('stats'), link.admit(ADDRESS)].map((answer) => expect(answer).rejects.toThrow(/silent/));
    link.abandon();
    await Promise.all(asked);
    expect(vi.getTimerCount()).toBe(0);
    const later = link.query('stats');
    link.settle({ kind: 'answer', id: idOfLast(), payload: { a: 1 } });
    expect(await later).toEqual({ a: 1 });
  });

  it('says what is no answer', () => {
    expect(link.settle({ kind: 'wake' })).toBe(false);
  });

  // The primary had counted the connection before its answer came too late for the handshake, and nobody would ever have
  // reported that connection as gone.
  it('gives back the place of an address whose admission comes too late', async () => {
    const asked = expect(link.admit(ADDRESS)).rejects.toThrow(/not answered/);
    vi.advanceTimersByTime(FOR_EVER_MS);
    await asked;
    link.settle({ kind: 'admitted', id: idOfLast(), address: ADDRESS, admitted: false });
    expect(sent.map(({ kind }) => kind)).toEqual(['admit']);
    link.settle({ kind: 'admitted', id: idOfLast(), address: ADDRESS, admitted: true });
    expect(sent.at(-1)).toEqual({ kind: 'left', address: ADDRESS });
  });

  it('refuses a question when too many are open', async () => {
    for (let n = 0; n < 1_024; n++) link.query('stats').catch(() => {});
    await expect(link.admit(ADDRESS)).rejects.toThrow(/[Tt]oo many/);
    expect(sent).toHaveLength(1_024);
  });
});
