import { InstanceAnswers } from '../../src/admin/instance-answers.ts';
import { MachineAnswers } from '../../src/admin/machine-answers.ts';
import { NO_PEERS } from '../../src/cluster/cluster.ts';
import type { InstanceIdentity } from '../../src/cluster/instance-identity.ts';
import type { PeerAnswer, Peers } from '../../src/cluster/question.ts';
import { CLOSES } from '../../src/connection/close-codes.ts';
import { Aggregator } from '../../src/telemetry/aggregator.ts';
import { type FakeAdminContext, FakeInstruments } from './fake-admin-context.ts';

/** What an instance with these figures answers, and its aggregator. */
export function testAnswers(context: FakeAdminContext, instruments = new FakeInstruments()) {
  const aggregator = new Aggregator(context, CLOSES, instruments);
  return { answers: new InstanceAnswers(context, aggregator, CLOSES), aggregator };
}

/** An instance without others, or with those given. */
export function machineOf(context: FakeAdminContext, peers: Peers = NO_PEERS): MachineAnswers {
  return new MachineAnswers(testAnswers(context).answers, peers);
}

/** Others that answer as over a socket: in JSON. What is no context is told as it is. */
export function peersOf(...peers: readonly (InstanceAnswers | Omit<PeerAnswer, 'answer'>)[]): Peers {
  return {
    ask: (question) =>
      Promise.all(
        peers.map(async (peer) => {
          if (!(peer instanceof InstanceAnswers)) return peer;
          const answer: unknown = JSON.parse(JSON.stringify(await peer.answer(question)));
          return { instance: peer.instance as InstanceIdentity, answer };
        }),
      ),
  };
}
