import net from 'node:net';
import { assert } from '../util/assert.ts';
import { errorMessage, TickcastError } from '../util/errors.ts';

/** How long a feed has to accept the connection, ms. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A feed whose machine has gone is noticed by the kernel after some of these without an answer, ms. */
const KEEP_ALIVE_MS = 10_000;

const HOST_AND_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/;

/** Where a feed listens: the path of a Unix socket, or a host and a port. */
type FeedAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** Reads `source.ndjson.connect`. */
function readFeedAddress(text: string): FeedAddress {
  if (text.startsWith('/')) return { path: text };
  const match = HOST_AND_PORT.exec(text);
  assert(match !== null, 'the configuration has checked the form');
  return { host: (match[1] ?? match[2]) as string, port: Number(match[3]) };
}

/**
 * Connects to a feed.
 * @param connect `source.ndjson.connect`, which the configuration has checked
 * @throws TickcastError SOURCE_FAILED
 */
export function connectToFeed(connect: string): Promise<net.Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
  const socket = net.connect(readFeedAddress(connect));
  // The reason stands in the message; a cause would have the log say it again.
  const fail = (reason: string) => {
    socket.destroy();
    const message = `Cannot connect to source.ndjson.connect ${connect}: ${reason}`;
    reject(new TickcastError('SOURCE_FAILED', message, { connect }));
  };
  const timer = setTimeout(() => fail(`no answer within ${CONNECT_TIMEOUT_MS} ms`), CONNECT_TIMEOUT_MS);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.once('connect', () => {
    clearTimeout(timer);
    resolve(socket);
  });
  // Stays: what breaks later is noticed by the feeder's end.
  socket.on('error', (error) => {
    clearTimeout(timer);
    fail(errorMessage(error));
  });
  return promise;
}
