import { type Blocks, DATA_TYPE_SLOTS_USED, total } from './block-totals.ts';
import { DROP_REASONS, type DropReason } from './drop-reasons.ts';

/**
 * What has become of the publications that clients asked for, over all shards since the start, once for each recipient:
 * each of them is delivered, merged, dropped or still pending.
 */
export interface DeliveryAccount {
  delivered: number;
  /** Another frame of the topic stands for them. */
  merged: number;
  /** Told by gap messages. */
  dropped: Record<DropReason, number>;
  /** Waiting now for connections that read slowly. */
  pending: number;
  /** Connections that read slowly now. */
  behind: number;
  /** ms that the slowest of them is behind. */
  lagMsMax: number;
  /** Times a connection fell behind, and times one caught up again. */
  fellBehind: number;
  caughtUp: number;
  /** Gap messages sent. */
  gaps: number;
  /** Frames that restate a latest value; no deliveries. */
  snapshots: number;
  resumes: { accepted: number; refused: number };
  /** Deliveries among the above that were published before their client resumed. */
  replayed: number;
}

export function deliveryAccount(blocks: Blocks): DeliveryAccount {
  return {
    delivered: total(blocks, 'messagesForwarded'),
    merged: mergedTotal(blocks),
    dropped: droppedTotals(blocks),
    pending: total(blocks, 'pendingMessages'),
    behind: total(blocks, 'connectionsBehind'),
    lagMsMax: blocks.reduce((most, block) => Math.max(most, block.get('lagMsMax')), 0),
    fellBehind: total(blocks, 'fellBehind'),
    caughtUp: total(blocks, 'caughtUp'),
    gaps: total(blocks, 'gapsSent'),
    snapshots: total(blocks, 'snapshotsSent'),
    resumes: { accepted: total(blocks, 'resumesAccepted'), refused: total(blocks, 'resumesRefused') },
    replayed: total(blocks, 'replayed'),
  };
}

/** Publications merged, of the data types in `slots`. */
export function mergedTotal(blocks: Blocks, slots: readonly number[] = DATA_TYPE_SLOTS_USED): number {
  let sum = 0;
  for (const block of blocks) for (const slot of slots) sum += block.merged(slot);
  return sum;
}

/** Publications dropped, of the data types in `slots`, by reason. */
export function droppedTotals(
  blocks: Blocks,
  slots: readonly number[] = DATA_TYPE_SLOTS_USED,
): Record<DropReason, number> {
  const totals = DROP_REASONS.map((reason, index) => {
    let sum = 0;
    for (const block of blocks) for (const slot of slots) sum += block.dropped(slot, index);
    return [reason, sum];
  });
  return Object.fromEntries(totals) as Record<DropReason, number>;
}
