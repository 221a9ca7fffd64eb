import { describe, expect, it } from 'vitest';
import { Account } from '../../src/delivery/account.ts';
import { dropReasonIndex } from '../../src/telemetry/drop-reasons.ts';

describe('Account', () => {
  it('adds up what was merged and dropped, by topic and in all', () => {
    const account = new Account();
    expect([account.merged, account.droppedTotal, account.topicOrNone(3)]).toEqual([0, 0, undefined]);
    account.addMerged(3, 4);
    account.addMerged(5, 1);
    account.addMerged(6, 0);
    const [slow, lapped] = [dropReasonIndex('slow_consumer'), dropReasonIndex('shard_lapped')];
    account.addDropped(3, lapped, 2);
    account.addDropped(3, slow, 1);
    account.addDropped(5, slow, 7);
    expect([account.merged, account.droppedTotal]).toEqual([5, 10]);
    expect([account.dropped[slow], account.dropped[lapped]]).toEqual([8, 2]);
    expect(account.topicOrNone(3)).toMatchObject({ merged: 4 });
    expect([account.topic(3).dropped[slow], account.topic(3).dropped[lapped]]).toEqual([1, 2]);
    expect(account.topicOrNone(6)).toBeUndefined();
  });

  it('shares nothing with other accounts', () => {
    const [one, other] = [new Account(), new Account()];
    one.addDropped(1, 0, 5);
    expect(other.droppedTotal).toBe(0);
  });
});
