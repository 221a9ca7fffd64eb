import { z } from 'zod';
import { parseAddressRange } from '../util/ip-address.ts';
import { batchSchema } from './batch-schema.ts';
import { compressionSchema } from './compression-schema.ts';

/**
 * Every option, once: name, type, range, unit (the end of its name), default and sentence. `--help`, `config/default.yaml`
 * and docs/configuration.md are made from or checked against this table. A limit of 0 means none. Where a pattern says
 * what is allowed, the inner schema is described too: those words stand for the pattern in messages and tables.
 */
const count = (max = Number.MAX_SAFE_INTEGER) => z.int().min(0).max(max);
const positive = (max = Number.MAX_SAFE_INTEGER) => z.int().min(1).max(max);
/** After how long a thread that shows no sign of life is taken to hang. */
const silence = () =>
  z
    .int()
    .min(0)
    .max(SILENT_MS_MAX)
    .refine((ms) => ms === 0 || ms >= SILENT_MS_MIN)
    .describe(`0, or ${SILENT_MS_MIN} to ${SILENT_MS_MAX}`);
const port = () => z.int().min(0).max(65_535);
const KIB = 1024;
const MIB = 1024 * KIB;
/** The last moment that a Date can hold. */
const DATE_MS_MAX = 8_640_000_000_000_000;
const SILENT_MS_MIN = 200;
const SILENT_MS_MAX = 3_600_000;

const ENDPOINT_PATH = z
  .string()
  .max(1_024)
  .regex(/^\/(?!api(?:\/|$)|health$)[!"$->@-~]*$/)
  .describe('a path that starts with /, without ?, # or spaces, not /health and not under /api');
const host = () =>
  z
    .string()
    .max(255)
    .regex(/^[\w.:%-]+$/)
    .describe('an IP address or a host name');
const name = () =>
  z
    .string()
    .regex(/^\P{Cc}{1,64}$/u)
    .describe('1 to 64 printable characters');
const filePath = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .regex(/^\P{Cc}*$/u)
    .describe(`a path of at most ${charactersMax} characters, or empty`);
const EXCHANGE_ID = z
  .string()
  .regex(/^[a-z0-9-]{0,64}$/)
  .describe('lower-case letters, digits and dashes, such as binance-futures, or empty');
const DATA_TYPE = z
  .string()
  .regex(/^[a-z0-9_-]{1,64}$/)
  .describe('data types in lower case');
const ADDRESS_RANGE = z
  .string()
  .refine((text) => parseAddressRange(text) !== undefined)
  .describe('addresses such as 10.0.0.7 or 2001:db8::7, or ranges such as 10.0.0.0/8 or 2001:db8::/32');
const TOKEN = z
  .string()
  .regex(/^[!-~]{0,4096}$/)
  .describe('at most 4096 visible ASCII characters without spaces, or empty');

const isWithoutRepeats = (list: readonly unknown[]) => new Set(list).size === list.length;

const dataTypes = () => z.array(DATA_TYPE).refine(isWithoutRepeats);

export const DATA_TYPES_SIMULATED = ['trade', 'ticker', 'kline', 'depth'] as const;

export const configSchema = z.strictObject({
  server: z.strictObject({
    port: port().default(8080).describe('TCP port of the WebSocket endpoint; 0 takes a free one'),
    host: host().default('0.0.0.0').describe('address to listen on'),
    path: ENDPOINT_PATH.default('/ws').describe('path of the WebSocket endpoint'),
    handshakeTimeoutMs: positive(600_000)
      .default(10_000)
      .describe('a connection that has not sent its whole request by then is closed'),
    headerBytes: z
      .int()
      .min(1 * KIB)
      .max(1 * MIB)
      .default(16 * KIB)
      .describe('largest request header'),
    sharePort: z
      .boolean()
      .default(false)
      .describe('several instances may listen on the port, as in a cluster; otherwise a taken port is an error'),
    trustProxy: z
      .array(ADDRESS_RANGE)
      .refine(isWithoutRepeats)
      .default([])
      .describe('proxies whose X-Forwarded-For or Forwarded header is believed; empty: nobody is'),
    backlog: positive(65_535).default(4_096).describe('connections the kernel keeps waiting for a shard'),
  }),
  shards: z
    .union([z.literal('auto'), positive(64)])
    .default('auto')
    .describe('worker threads that own connections; auto: cores - 1, at least 1'),
  source: z.strictObject({
    kind: z
      .enum(['simulator', 'recording', 'ndjson', 'none'])
      .default('simulator')
      .describe('where publications come from; none: only from processData()'),
    restartDelayMs: positive(3_600_000)
      .default(1_000)
      .describe('pause before a failed source is started again; doubles with each failure'),
    restartDelayMaxMs: positive(3_600_000)
      .default(30_000)
      .describe('longest pause before a failed source is started again'),
    simulator: z.strictObject({
      exchange: name().default('binance').describe('exchange of the simulated publications'),
      symbolPrefix: name().default('SYM').describe('symbols are named by this prefix and a number from 0'),
      symbols: positive(65_536).default(100).describe('number of symbols'),
      rate: z.number().min(0).max(10_000_000).default(1_000).describe('publications per second, over all symbols'),
      types: z
        .array(z.enum(DATA_TYPES_SIMULATED))
        .min(1)
        .refine(isWithoutRepeats)
        .default([...DATA_TYPES_SIMULATED])
        .describe('data types to publish'),
      payloadBytes: count(MIB)
        .default(0)
        .describe('pads the JSON text of a publication to about this size; 0: as it comes'),
      seed: z.int().min(0).max(0xffff_ffff).default(1).describe('the same seed gives the same content'),
    }),
    recording: z.strictObject({
      file: filePath(4_096).default('').describe('path of the recording'),
      exchange: EXCHANGE_ID.default('').describe('tardis-dev id of the exchange; empty: told from the file'),
      speed: z
        .union([z.literal('max'), z.number().min(0.001).max(1_000_000)])
        .default(1)
        .describe('1: as recorded; N: N times as fast; max: as fast as the shards can take it'),
      loop: z.boolean().default(true).describe('begin again at the end'),
      anchorMs: count(DATE_MS_MAX)
        .default(0)
        .describe(
          'when the playing began, ms since the epoch, the same for several instances that are to play in step; 0: at the start',
        ),
    }),
    ndjson: z.strictObject({
      port: port().default(0).describe('loopback TCP port to listen on; 0: none'),
      path: filePath(107)
        .default('')
        .describe('Unix socket to listen on; neither port, path nor connect: standard input'),
      connect: z
        .string()
        .max(300)
        .regex(
          /^(?:\/\P{Cc}{1,106}|(?:\[[0-9a-fA-F:.]+\]|[^:[\]/\s]+):(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))?$/u,
        )
        .describe(
          'host:port with a port from 1 to 65535, the path of a Unix socket of at most 107 characters, or empty',
        )
        .default('')
        .describe('feed to connect to, in place of listening, so that several instances read the same'),
      numbering: z
        .string()
        .regex(/^\P{Cc}{0,64}$/u)
        .describe('up to 64 printable characters')
        .default('')
        .describe('sets the numbers of a feed apart from those of others; the same where instances read the same'),
      lineBytes: positive(64 * MIB)
        .default(2 * MIB)
        .describe('longest line'),
      connections: positive(1_000).default(16).describe('feeders connected at a time'),
    }),
  }),
  dataflow: z.strictObject({
    queueLimit: positive(10_000_000)
      .default(10_000)
      .describe('publications that may wait for slow output channels; beyond it the oldest goes'),
    backpressureAt: positive(10_000_000)
      .default(8_000)
      .describe('queue length at which back-pressure begins; it ends below 80 % of it'),
    strict: z.boolean().default(false).describe('refuse a trade or ticker whose price is not a number'),
  }),
  ring: z.strictObject({
    bytes: z
      .int()
      .min(1 * MIB)
      .max(1024 * MIB)
      .default(64 * MIB)
      .describe('size of the broadcast ring; rounded up to a power of two'),
    topics: z.int().min(1).max(1_048_576).default(65_536).describe('most topics (exchange, symbol, data type)'),
  }),
  batch: batchSchema,
  compression: compressionSchema,
  limits: z.strictObject({
    connections: count(1_000_000)
      .default(10_000)
      .describe('open connections of the instance; more are closed with 1013'),
    connectionsPerIp: count(1_000_000).default(0).describe('open connections from one address'),
    subscriptionsPerConnection: count(1_000_000).default(1_000).describe('filters and channels of one connection'),
    filterTerms: count(1_000_000)
      .default(10_000)
      .describe('exchange × symbol × type combinations that the filters of one connection may name'),
    payloadBytes: z
      .int()
      .min(0)
      .max(16 * MIB)
      .default(1 * MIB)
      .describe('largest message in either direction'),
    pendingMessages: count(10_000_000)
      .default(4_000)
      .describe(
        'messages that may wait for a connection that reads slowly; more: the oldest are dropped, told by a gap',
      ),
    pendingBytes: count(1024 * MIB)
      .default(4 * MIB)
      .describe('bytes that may wait for a connection that reads slowly; more: the oldest are dropped, told by a gap'),
    commandsPerSecond: count(1_000_000).default(100).describe('commands of one connection; bursts of twice that pass'),
  }),
  conflation: z.strictObject({
    latest: dataTypes()
      .default(['ticker', 'kline'])
      .describe('types of which only the newest matters to a client that reads slowly: it stands for those before it'),
    book: dataTypes()
      .default(['depth'])
      .describe('types whose updates are merged level by level for a client that reads slowly'),
  }),
  snapshot: z.strictObject({
    default: z
      .boolean()
      .default(false)
      .describe('a subscription that does not say whether it wants a snapshot gets one'),
  }),
  slow: z.strictObject({
    highWaterBytes: z
      .int()
      .min(64 * KIB)
      .max(64 * MIB)
      .default(64 * KIB)
      .describe('bytes left in the socket after a write that make a connection a slow one, until they have gone'),
    maxLagMs: count(3_600_000)
      .default(30_000)
      .describe('a connection that stays slow for this long is closed 1013 Slow consumer; 0: never'),
  }),
  heartbeat: z.strictObject({
    intervalMs: z.int().min(10).max(3_600_000).default(30_000).describe('time between protocol PINGs'),
    timeoutMs: z.int().min(20).max(7_200_000).default(60_000).describe('a connection silent for this long is closed'),
  }),
  defaultSubscription: z.enum(['all', 'none']).default('all').describe('what a client that never sends a filter gets'),
  admin: z.strictObject({
    port: port()
      .default(0)
      .describe(
        'port of its own for the admin API, beside the shared one; 0: none. Of several instances under pm2 each has its own: this, and those behind it',
      ),
    host: host().default('127.0.0.1').describe('address of that port'),
    token: TOKEN.default('').describe('bearer token that opens the admin API to other machines; empty: loopback only'),
  }),
  cluster: z.strictObject({
    runDir: filePath(107)
      .default('')
      .describe(
        'directory where instances on one port find each other; empty: tickcast in $XDG_RUNTIME_DIR, or one of the temporary directory',
      ),
    answerTimeoutMs: z
      .int()
      .min(10)
      .max(4_000)
      .default(1_000)
      .describe('time that another instance has to answer; one that takes longer is told as silent'),
  }),
  log: z.strictObject({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('least level that is logged'),
    file: filePath(4_096).default('').describe('file to log to; empty: standard output'),
    performanceIntervalMs: count(86_400_000).default(60_000).describe('time between "Performance metrics" lines'),
  }),
  memory: z.strictObject({
    thresholdMb: count(1_048_576)
      .default(512)
      .describe('resident memory of the process over which steps are taken to get some back; 0: never'),
    checkIntervalMs: z
      .int()
      .min(10)
      .max(3_600_000)
      .default(10_000)
      .describe('time between looks at it; each one over the threshold goes a step further'),
  }),
  supervisor: z.strictObject({
    startTimeoutMs: positive(600_000).default(10_000).describe('time a shard has to come up'),
    restartDelayMs: positive(60_000)
      .default(100)
      .describe('pause before a crashed shard is run again; doubles with each crash within crashLoopWindowMs'),
    restartDelayMaxMs: positive(600_000).default(10_000).describe('longest pause before a crashed shard is run again'),
    shardSilentMs: silence()
      .default(10_000)
      .describe('a shard whose event loop has not turned for this long is ended and run again; 0: never'),
    primarySilentMs: silence()
      .default(15_000)
      .describe(
        'the process is ended when the event loop of its primary thread has not turned for this long; 0: never',
      ),
    crashLoopCount: count(1_000)
      .default(5)
      .describe('crashes of a shard in a row that make a crash loop, which is unhealthy; 0: never'),
    crashLoopWindowMs: positive(86_400_000)
      .default(60_000)
      .describe('time a shard has to stay up for its crashes to be forgotten'),
    shardHeapMb: z.int().min(32).max(65_536).default(1_024).describe('JavaScript heap of one shard'),
  }),
  shutdown: z.strictObject({
    timeoutMs: positive(600_000).default(10_000).describe('time for the whole shutdown on SIGINT and SIGTERM'),
    drainMs: count(600_000)
      .default(2_000)
      .describe(
        'time over which clients are closed, at most half of that: they are told first, and get data until their turn',
      ),
  }),
});

/** The validated configuration: all keys are present and in range, all of it is frozen. Safe to share and to post. */
export type Config = z.infer<typeof configSchema>;

/** Some of the options, as an embedding program gives them; the others keep their defaults. */
export type ConfigOverrides = DeepPartial<Config>;

export type DeepPartial<T> = T extends readonly (infer Item)[]
  ? readonly Item[]
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T;
