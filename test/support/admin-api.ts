import { type IncomingMessage, request } from 'node:http';

export interface AdminAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
}

export interface AdminRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** One HTTP request on a connection of its own, so that the kernel chooses a shard anew. */
export function askHttp(port: number, path: string, { method = 'GET', headers = {}, body }: AdminRequest = {}) {
  return new Promise<AdminAnswer>((resolve, reject) => {
    const asking = request({ port, path, method, headers, host: '127.0.0.1', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

/** The JSON that a read of the admin API answers. */
export async function readAdmin<T = Record<string, unknown>>(port: number, name: string): Promise<T> {
  return JSON.parse((await askHttp(port, `/api/websocket/${name}`)).text) as T;
}
