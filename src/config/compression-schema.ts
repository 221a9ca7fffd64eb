import { z } from 'zod';

/** The options of permessage-deflate; see schema.ts. */
export const compressionSchema = z.strictObject({
  mode: z
    .enum(['off', 'shared'])
    .default('off')
    .describe('shared: what many clients get alike is compressed once for all of them that ask for permessage-deflate'),
  level: z.int().min(1).max(9).default(4).describe('1: fast, 9: small'),
  windowBits: z
    .int()
    .min(9)
    .max(15)
    .default(15)
    .describe('how far back, as a power of two of bytes, a frame may refer; less takes less memory'),
  minMembers: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10)
    .describe('clients with the same filters that it takes to compress for them'),
  minFrameBytes: z.int().min(1).max(65_536).default(64).describe('payload of a frame that is worth compressing'),
  resetMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(1_000)
    .describe('least time between two moments at which newcomers are let into a stream that others follow'),
  maxStreams: z.int().min(1).max(65_536).default(64).describe('compressed streams of a shard, up to 256 KiB each'),
  maxUtilization: z
    .number()
    .min(0)
    .max(1)
    .default(0.95)
    .describe('a shard that is busy for more than this part of its time sends everything plain'),
});
