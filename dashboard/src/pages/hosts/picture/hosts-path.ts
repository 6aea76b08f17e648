// Who has the address that moves, who leads, and how the writes reach the other hosts.
import { formatWord } from '../../../view/format.ts';
import type { Path, Stop, Way } from '../../../view/path/path-layout.ts';
import type { Host, Status } from '../use-hosts.ts';

const plain = { detail: null, status: null, isDown: false, isOld: false, figures: null, opens: null };

export function hostsPath({ primaryName, hosts, copies }: Status): Path {
  const leader = hosts.find(({ name }) => name === primaryName);
  const others = hosts.filter((host) => host !== leader);
  const address: Stop = {
    ...{ ...plain, key: 'address', title: 'Database address', isDown: leader === undefined },
    detail: leader === undefined ? 'held by no host' : `now at ${leader.name}`,
    figures: 'moves with the primary',
  };
  const stop = (host: Host): Stop => ({
    ...{ ...plain, key: host.name, title: host.name, detail: host.address, status: host.state },
    ...{ isDown: host.state === 'SILENT', isOld: host.state === 'SILENT', figures: figuresOf(host, copies) },
  });
  const steps = [
    { title: 'Clients write to', stops: [address] },
    { title: 'Primary', stops: leader === undefined ? [] : [stop(leader)] },
    { title: 'Other hosts', stops: others.map(stop) },
  ];
  const ways: Way[] = [
    ...(leader === undefined ? [] : [{ from: 'address', to: leader.name, isReserve: false }]),
    ...others.map(({ name, state }) => ({ from: leader?.name ?? 'address', to: name, isReserve: state === 'WITNESS' })),
  ];
  return { steps: steps.filter(({ stops }) => stops.length > 0), ways };
}

function figuresOf({ state, behindTransactions, stateReason }: Host, copies: number): string | null {
  switch (state) {
    case 'PRIMARY':
      return copies === 1 ? 'the only copy' : `${copies} copies of each write`;
    case 'WITNESS':
      return 'votes only, no data';
    case 'SILENT':
      return 'no reports';
    default: {
      if (stateReason !== null) return stateReason;
      const lag = behindTransactions === null ? 'lag unknown' : `${behindTransactions} transactions behind`;
      return behindTransactions === '0' ? `${formatWord(state)}, no lag` : lag;
    }
  }
}
