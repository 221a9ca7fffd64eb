import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { HealthFlag } from '../../src/telemetry/health-flag.ts';

const MODULE = new URL('../../src/telemetry/health-flag.ts', import.meta.url).href;

describe('the health flag', () => {
  it('is unhealthy before anybody has looked', () => {
    expect(new HealthFlag(HealthFlag.allocate()).read()).toBe('unhealthy');
  });

  it.each(['healthy', 'degraded', 'unhealthy'] as const)('says what was written: %s', (level) => {
    const memory = HealthFlag.allocate();
    new HealthFlag(memory).write(level);
    expect(new HealthFlag(memory).read()).toBe(level);
  });

  it('is unhealthy again when the writer has been silent for five seconds', () => {
    let nowMs = 1_000;
    const flag = new HealthFlag(HealthFlag.allocate(), () => BigInt(nowMs) * 1_000_000n);
    flag.write('healthy');
    nowMs += 5_000;
    expect(flag.read()).toBe('healthy');
    nowMs++;
    expect(flag.read()).toBe('unhealthy');
    flag.write('degraded');
    expect(flag.read()).toBe('degraded');
  });

  it('is told by one clock in all threads', async () => {
    const memory = HealthFlag.allocate();
    new HealthFlag(memory).write('healthy');
    const read = `import(${JSON.stringify(MODULE)}).then(({ HealthFlag }) =>
      require('node:worker_threads').parentPort.postMessage(
        new HealthFlag(require('node:worker_threads').workerData).read()))`;
    const worker = new Worker(read, { eval: true, workerData: memory });
    expect(await new Promise((resolve) => worker.once('message', resolve))).toBe('healthy');
    await worker.terminate();
  });
});
