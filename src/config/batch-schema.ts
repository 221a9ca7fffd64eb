import { z } from 'zod';

const waitMs = () => z.number().min(0).max(60_000);

/** When batches are written; see schema.ts. */
export const batchSchema = z.strictObject({
  mode: z
    .enum(['adaptive', 'fixed'])
    .default('adaptive')
    .describe(
      'adaptive: at once while there is time to spare, longer as the shard fills, within the target; fixed: by count or age',
    ),
  targetP99Ms: waitMs()
    .default(10)
    .describe('adaptive: how late 99 % of the messages may leave, counted from when the shard could read them'),
  targetP99MsOf: z.strictObject({
    trade: waitMs().default(0).describe('the same for trades; 0: as batch.targetP99Ms says'),
    ticker: waitMs().default(0).describe('the same for tickers; 0: as batch.targetP99Ms says'),
    kline: waitMs().default(0).describe('the same for klines; 0: as batch.targetP99Ms says'),
    depth: waitMs().default(0).describe('the same for order books; 0: as batch.targetP99Ms says'),
  }),
  maxMessages: z.int().min(1).max(100_000).default(1_000).describe('messages in a batch before it is flushed'),
  maxDelayMs: waitMs()
    .default(10)
    .describe('longest that a message waits in a batch, but for types with a target of their own'),
  maxBytes: z.int().min(4_096).max(16_777_216).default(262_144).describe('bytes in a batch before it is flushed'),
});
