import { describe, expect, it } from 'vitest';
import { CLOSES, closeOf, closeRow } from '../../src/connection/close-codes.ts';
import { CLOSE_SLOTS } from '../../src/telemetry/statistics-block.ts';

describe('the close-code table', () => {
  it('has a place in the statistics for each reason', () => {
    expect(CLOSES.length).toBeLessThanOrEqual(CLOSE_SLOTS);
    for (const [row, { name }] of CLOSES.entries()) {
      expect(closeRow(name)).toBe(row);
      expect(closeOf(name)).toBe(CLOSES[row]);
    }
  });

  // RFC 6455 §5.5 and §7.4: a control frame carries 125 bytes, two of them the code; 1005, 1006 and 1015 are never sent.
  it.each(CLOSES.map((close) => [close.name, close] as const))(
    'has a code and reason that can be sent: %s',
    (name, { code, reason }) => {
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
      if (name === 'connectionLost') expect(code).toBe(1006);
      else expect([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013]).toContain(code);
    },
  );

  it.each([
    ['atCapacity', 1013, 'Server at capacity'], // T3
    ['messageTooLarge', 1009, ''], // T23
    ['rateLimited', 1008, 'Rate limit exceeded'], // T25
    ['serverShutdown', 1001, 'Server shutting down'], // T42
    ['setupFailed', 1011, 'Server error'], // T43
    ['slowConsumer', 1013, 'Slow consumer'],
  ] as const)('closes for %s with %i %j', (name, code, reason) => {
    expect(closeOf(name)).toMatchObject({ code, reason });
  });
});
