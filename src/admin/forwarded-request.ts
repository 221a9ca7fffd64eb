/**
 * An HTTP request under /api/ on its way from the shard that got it to the primary, and the answer on its way back. Plain
 * data: it crosses threads.
 */
export interface ForwardedRequest {
  method: string;
  /** As on the request line, query included. */
  url: string;
  /** Lower-case names, as Node's parser gives them. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string;
  /** Of the real peer, as the shard saw it: access is decided by it. Empty where the peer is gone already. */
  remoteAddress: string;
}

export interface ForwardedReply {
  status: number;
  /** Without those of the connection (RFC 9110 §7.6.1): it is the shard's. */
  headers: Record<string, string | string[]>;
  /** Empty for HEAD, whose content-length tells of the body that GET would get. */
  body: string;
}
