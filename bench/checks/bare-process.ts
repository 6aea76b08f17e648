// The lower bound: Node's cost of connecting to each target in turn and resetting the connection, without an engine.

import { answerParent } from '../../measure/child.ts';
import { dial } from '../../platform/net/dial.ts';
import { testEgress } from '../../tests/support/machine/egress.ts';

export interface BareQuestion {
  readonly start?: { readonly hosts: readonly string[]; readonly port: number; readonly checksPerSecond: number };
}

const tickMs = 10;
let checks = 0;

answerParent(async ({ start }: BareQuestion): Promise<number> => {
  if (start === undefined) return checks;
  const { hosts, port, checksPerSecond } = start;
  const fromMs = performance.now();
  let begun = 0;
  setInterval(() => {
    const due = ((performance.now() - fromMs) * checksPerSecond) / 1000;
    for (; begun < due; begun += 1) {
      const socket = dial(testEgress, { host: hosts[begun % hosts.length] ?? '', port });
      socket
        .on('error', () => undefined)
        .once('connect', () => {
          checks += 1;
          socket.resetAndDestroy();
        });
    }
  }, tickMs);
  return checks;
});
