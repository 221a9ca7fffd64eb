import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { GivenFilter } from '../../perf/truth/naive-matcher.ts';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import type { Backlog } from '../../src/delivery/backlog.ts';
import { isFilterProblem, parseFilter } from '../../src/subscription/filter.ts';
import { SubscriptionIndex } from '../../src/subscription/subscription-index.ts';
import { type CohortWatcher, SubscriptionManager } from '../../src/subscription/subscription-manager.ts';
import { GatedSocket } from '../support/gated-socket.ts';
import { connectionOn } from '../support/test-connection.ts';
import { NO_WATCHER, TestTopics } from '../support/test-topics.ts';

let topics: TestTopics;
let manager: SubscriptionManager;
let serial: number;

beforeEach(() => {
  topics = new TestTopics(8_192);
  manager = new SubscriptionManager(topics.reader, NO_WATCHER);
  serial = 1;
});

function connect(): PooledConnection {
  return connectionOn(new GatedSocket(), { serial: serial++ });
}

function subscribe(member: PooledConnection, filter: GivenFilter, to = manager): string {
  const parsed = parseFilter({ ...filter });
  if (isFilterProblem(parsed)) throw new Error(parsed.problem);
  return to.addFilter(member, parsed.terms, parsed.given);
}

function recipients(topic: number): PooledConnection[] {
  return manager.match(topic).flatMap(({ members }) => members);
}

describe('SubscriptionManager', () => {
  it('gives the firehose every topic until the connection sends a filter (T33)', () => {
    const [btc, eth] = [topics.add('binance', 'BTC', 'trade'), topics.add(null, null, null)];
    const member = connect();
    manager.joinFirehose(member);
    expect([recipients(btc), recipients(eth)]).toEqual([[member], [member]]);
    subscribe(member, { symbols: 'BTC' });
    expect([recipients(btc), recipients(eth)]).toEqual([[member], []]);
  });

  it('counts filters in force, and the firehose as none (T50)', () => {
    const member = connect();
    manager.joinFirehose(member);
    expect(manager.filtersInForce).toBe(0);
    subscribe(member, { symbols: 'A' });
    subscribe(member, { symbols: 'A' });
    expect(manager.filtersInForce).toBe(2);
    manager.disconnect(member);
    expect(manager.filtersInForce).toBe(0);
  });

  it('keeps a filter that was given twice until both are withdrawn', () => {
    const topic = topics.add('x', 'A', 'trade');
    const member = connect();
    const [first, second] = [subscribe(member, { symbols: 'A' }), subscribe(member, { symbols: 'a' })];
    expect(manager.removeFilter(member, first!)).toBe(true);
    expect(recipients(topic)).toEqual([member]);
    expect(manager.removeFilter(member, second!)).toBe(true);
    expect(recipients(topic)).toEqual([]);
    expect(manager.removeFilter(member, second!)).toBe(false);
  });

  it('gives nothing to a connection that has withdrawn its last filter, and everything to one that never had one', () => {
    const topic = topics.add('x', 'A', 'trade');
    const [explicit, firehose] = [connect(), connect()];
    subscribe(explicit, { symbols: 'A' });
    manager.joinFirehose(firehose);
    manager.removeAllFilters(explicit);
    manager.removeAllFilters(firehose);
    expect(recipients(topic)).toEqual([firehose]);
  });

  it('does not let one connection withdraw the filter of another', () => {
    const [owner, other] = [connect(), connect()];
    const filterId = subscribe(owner, { symbols: 'A' });
    expect(manager.removeFilter(other, filterId)).toBe(false);
    expect(owner.filters.has(filterId)).toBe(true);
  });

  it('puts connections that want the same into one cohort, whatever the order and spelling of their filters', () => {
    const [one, other] = [connect(), connect()];
    subscribe(one, { symbols: ['BTC/USDT', 'eth'] });
    subscribe(one, { dataTypes: 'trades' });
    subscribe(other, { dataTypes: 'trade' });
    subscribe(other, { symbols: ['ETH', 'btcusdt'] });
    expect(one.cohort).toBe(other.cohort);
    expect(manager.cohortCount).toBe(1);
  });

  it('takes a filter that wants everything for all that the others say', () => {
    const [firehose, explicit] = [connect(), connect()];
    manager.joinFirehose(firehose);
    subscribe(explicit, { symbols: 'A' });
    subscribe(explicit, {});
    expect(explicit.cohort).toBe(firehose.cohort);
  });

  it('counts the combinations that a connection names', () => {
    const member = connect();
    const filterId = subscribe(member, { symbols: ['A', 'B'], dataTypes: ['trade', 'depth'] });
    subscribe(member, { symbols: ['C'] });
    expect(member.filterTerms).toBe(5);
    manager.removeFilter(member, filterId);
    expect(member.filterTerms).toBe(1);
    manager.removeAllFilters(member);
    expect(member.filterTerms).toBe(0);
  });

  // The mechanism: each change made a new cohort of all the connection's filters, so the thousandth cost a thousandfold.
  it('touches the index for one filter only when a connection with many changes one', () => {
    const member = connect();
    subscribe(member, { symbols: Array.from({ length: 1_000 }, (_, i) => `S${i}`) });
    const [adding, removing] = [
      vi.spyOn(SubscriptionIndex.prototype, 'add'),
      vi.spyOn(SubscriptionIndex.prototype, 'remove'),
    ];
    const filterId = subscribe(member, { symbols: ['S1', 'NEW'] });
    expect([adding.mock.calls.length, removing.mock.calls.length]).toEqual([1, 0]);
    manager.removeFilter(member, filterId);
    expect([adding.mock.calls.length, removing.mock.calls.length]).toEqual([1, 1]);
    const [shared, gone] = [topics.add('x', 'S1', 'trade'), topics.add('x', 'NEW', 'trade')];
    expect([recipients(shared), recipients(gone)]).toEqual([[member], []]);
    vi.restoreAllMocks();
  });

  it('looks a topic up once, however often it is asked and however many connections there are', () => {
    const topic = topics.add('binance', 'SYM0', 'trade');
    for (let i = 0; i < 500; i++) subscribe(connect(), { symbols: `SYM${i}` });
    const search = vi.spyOn(SubscriptionIndex.prototype, 'match');
    for (let i = 0; i < 1_000; i++) expect(manager.match(topic)).toHaveLength(1);
    expect(manager.matchOperations).toBe(1);
    expect(search).toHaveBeenCalledTimes(1);
    search.mockRestore();
  });

  it('looks no topic up again when a connection joins or leaves a cohort that stays', () => {
    const topic = topics.add('binance', 'A', 'trade');
    const first = connect();
    subscribe(first, { symbols: 'A' });
    manager.match(topic);
    const second = connect();
    subscribe(second, { symbols: 'A' });
    expect(recipients(topic)).toEqual([first, second]);
    manager.disconnect(first);
    expect(recipients(topic)).toEqual([second]);
    expect(manager.matchOperations).toBe(1);
  });

  it('keeps a connection that is behind with those that want the same, whatever it changes', () => {
    const topic = topics.add('x', 'A', 'trade');
    const [slow, fast] = [connect(), connect()];
    slow.backlog = {} as Backlog;
    const filterId = subscribe(slow, { symbols: 'A' });
    subscribe(fast, { symbols: 'A' });
    expect(manager.match(topic).map(({ members, behind }) => [members, behind])).toEqual([[[fast], [slow]]]);
    manager.disconnect(fast);
    expect(manager.match(topic).map(({ members, behind }) => [members, behind])).toEqual([[[], [slow]]]);
    subscribe(slow, { symbols: 'B' });
    expect([manager.cohortCount, slow.cohort?.behind]).toEqual([1, [slow]]);
    manager.removeFilter(slow, filterId);
    expect(manager.match(topic)).toEqual([]);
    manager.removeAllFilters(slow);
    expect([manager.cohortCount, slow.cohort]).toEqual([0, undefined]);
  });

  it('takes a connection that falls behind when it leaves its cohort into the next all the same', () => {
    const topic = topics.add('x', 'B', 'trade');
    const watched = new SubscriptionManager(topics.reader, {
      leaving: (cohort, leaver) => {
        cohort.remove(leaver);
        leaver.backlog = {} as Backlog;
        cohort.add(leaver);
      },
    });
    const [member, stayer] = [connect(), connect()];
    for (const each of [member, stayer]) subscribe(each, { symbols: 'A' }, watched);
    watched.removeAllFilters(member);
    subscribe(member, { symbols: 'B' }, watched);
    expect(watched.match(topic).map(({ members, behind }) => [members, behind])).toEqual([[[], [member]]]);
    expect(stayer.cohort).toMatchObject({ members: [stayer], behind: [] });
  });

  it('tells the watcher of a change before it, and of a join or a disconnect not at all', () => {
    const calls: unknown[] = [];
    const watcher: CohortWatcher = {
      leaving: (cohort, member) => calls.push(['leaving', cohort.key, member.cohort === cohort]),
    };
    const watched = new SubscriptionManager(topics.reader, watcher);
    const [member, stayer] = [connect(), connect()];
    subscribe(stayer, { symbols: 'A' }, watched);
    calls.length = 0;
    subscribe(member, { symbols: 'A' }, watched);
    const first = member.cohort!.key;
    subscribe(member, { symbols: 'B' }, watched);
    watched.disconnect(member);
    expect(calls).toEqual([['leaving', first, true]]);
  });

  // The mechanism: the batch stage writes a leaver what was gathered for it. When that closes it, it is disconnected within
  // that call, and the change of cohort that the call was part of has nothing left to move.
  it.each(['addFilter', 'removeFilter', 'removeAllFilters'] as const)(
    'leaves a connection out that is closed while %s takes it out of its cohort',
    (operation) => {
      const topic = topics.add('x', 'A', 'trade');
      const guarded = new SubscriptionManager(topics.reader, {
        leaving: (_cohort, leaver) => guarded.disconnect(leaver),
      });
      const [member, stayer] = [connect(), connect()];
      const filterId = subscribe(member, { symbols: 'A' }, guarded);
      subscribe(stayer, { symbols: 'A' }, guarded);
      if (operation === 'addFilter') subscribe(member, { symbols: 'B' }, guarded);
      else if (operation === 'removeFilter') guarded.removeFilter(member, filterId);
      else guarded.removeAllFilters(member);
      expect(member.cohort).toBeUndefined();
      expect([guarded.cohortCount, guarded.filtersInForce, member.filters.size]).toEqual([1, 1, 0]);
      expect(guarded.match(topic).flatMap(({ members }) => members)).toEqual([stayer]);
    },
  );
});
