/**
 * The name of an instance's socket file says who listens there, so that also one that does not answer can be told:
 *
 *     PORT . PROCESS . PID . BIRTH . SERIAL .sock        8080.0.4711.1x9k2.1.sock
 *
 * BIRTH is when the process started (see process-birth.ts), in base 36: a pid is given out again. SERIAL is random, and
 * tells apart gateways that one process holds, be it on several threads.
 */
export interface SocketName {
  /** Port of the WebSocket endpoint: instances of one port belong together. */
  port: number;
  process: number;
  pid: number;
  birth: number;
  serial: number;
}

/** One more than the highest SERIAL. */
export const SERIAL_END = 1_000_000;

/** What sockaddr_un takes (unix(7)), without the zero at its end. */
export const SOCKET_PATH_BYTES_MAX = 107;

const PATTERN = /^(\d{1,5})\.(\d{1,10})\.(\d{1,10})\.([\da-z]{1,11})\.(\d{1,6})\.sock$/;

export function formatSocketName({ port, process, pid, birth, serial }: SocketName): string {
  return `${port}.${process}.${pid}.${birth.toString(36)}.${serial}.sock`;
}

/** Undefined for a file that is no socket of an instance's. */
export function parseSocketName(file: string): SocketName | undefined {
  const match = PATTERN.exec(file);
  if (match === null) return undefined;
  const [, port, process, pid, birth, serial] = match as unknown as [string, string, string, string, string, string];
  return {
    port: Number(port),
    process: Number(process),
    pid: Number(pid),
    birth: Number.parseInt(birth, 36),
    serial: Number(serial),
  };
}
