import { describe, expect, it } from 'vitest';
import { allocateRing, RECEIVERS_MAX } from '../../src/ring/layout.ts';
import { WakeUpReceiver, WakeUpSender } from '../../src/ring/wake-up.ts';

describe('wake-up', () => {
  it('posts nothing to a receiver that is at work', () => {
    const { sender, port } = sleepers(1);
    sender.wake('up');
    expect(port(0).posted).toEqual([]);
  });

  it('answers one raised flag with one post, however many publications follow', () => {
    const { sender, receivers, port } = sleepers(1);
    receivers[0]!.raise();
    for (let i = 0; i < 100; i++) sender.wake('up');
    expect(port(0).posted).toEqual(['up']);
    receivers[0]!.raise();
    sender.wake('again');
    expect(port(0).posted).toEqual(['up', 'again']);
  });

  it('posts nothing for a flag that was taken back', () => {
    const { sender, receivers, port } = sleepers(1);
    receivers[0]!.raise();
    receivers[0]!.lower();
    sender.wake('up');
    expect(port(0).posted).toEqual([]);
  });

  it('posts to those that wait and to nobody else', () => {
    const { sender, receivers, port } = sleepers(RECEIVERS_MAX);
    const waiting = [0, 7, RECEIVERS_MAX - 1];
    for (const receiver of waiting) receivers[receiver]!.raise();
    sender.wake('up');
    for (let receiver = 0; receiver < RECEIVERS_MAX; receiver++) {
      expect(port(receiver).posted).toEqual(waiting.includes(receiver) ? ['up'] : []);
    }
  });

  it('posts to nobody after a detach, and to the new port after the next attach', () => {
    const { sender, receivers, port } = sleepers(2);
    receivers[0]!.raise();
    receivers[1]!.raise();
    sender.attach(0, undefined);
    sender.wake('up');
    expect(port(0).posted).toEqual([]);
    expect(port(1).posted).toEqual(['up']);
    const next = new Port();
    sender.attach(0, next);
    sender.wake('still waiting');
    expect(next.posted).toEqual(['still waiting']);
    expect(port(0).posted).toEqual([]);
  });

  it('begins at work, whatever a thread before has left', () => {
    const ring = allocateRing(0);
    const port = new Port();
    const sender = new WakeUpSender(ring);
    new WakeUpReceiver(ring, 0).raise();
    new WakeUpReceiver(ring, 0);
    sender.attach(0, port);
    sender.wake('up');
    expect(port.posted).toEqual([]);
  });
});

class Port {
  readonly posted: unknown[] = [];

  postMessage(message: unknown): void {
    this.posted.push(message);
  }
}

function sleepers(count: number) {
  const ring = allocateRing(0);
  const sender = new WakeUpSender(ring);
  const ports = Array.from({ length: count }, () => new Port());
  const receivers = ports.map((port, receiver) => {
    sender.attach(receiver, port);
    return new WakeUpReceiver(ring, receiver);
  });
  return { sender, receivers, port: (receiver: number) => ports[receiver]! };
}
