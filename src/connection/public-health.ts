import type { ServerResponse } from 'node:http';
import type { HealthLevel } from '../telemetry/health.ts';

/** What `GET /health` says to everybody, and all that it says. */
interface PublicHealth {
  status: HealthLevel;
  /** ISO 8601. */
  timestamp: string;
  version: string;
  service: 'tickcast';
}

/** Answers a balancer: 200, or 503 when it should look elsewhere. Node leaves the body out where HEAD was asked. */
export function answerHealth(response: ServerResponse, status: HealthLevel, version: string): void {
  const health: PublicHealth = { status, timestamp: new Date().toISOString(), version, service: 'tickcast' };
  const body = JSON.stringify(health);
  response.writeHead(status === 'unhealthy' ? 503 : 200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
