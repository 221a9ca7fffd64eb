import type { FastifyInstance } from 'fastify';
import { TickcastError } from '../util/errors.ts';

/**
 * Lets the admin API listen on a port of its own.
 * @throws TickcastError PORT_IN_USE, PORT_REFUSED
 */
export async function listenAdmin(app: FastifyInstance, port: number, host: string): Promise<void> {
  try {
    await app.listen({ port, host });
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    const inUse = code === 'EADDRINUSE';
    throw new TickcastError(
      inUse ? 'PORT_IN_USE' : 'PORT_REFUSED',
      `Cannot listen on admin port ${port}: ${inUse ? 'it is taken; take another with --admin.port' : message}`,
      { port },
    );
  }
}
