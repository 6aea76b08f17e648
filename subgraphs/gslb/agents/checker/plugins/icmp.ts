// ICMP: an echo request is answered. One fping process serves all targets.
import { isUp } from '../../../../../platform/checks/probe.ts';
import { checkTypes } from '../../../spec/check-types.ts';
import type { CheckPlugin } from './plugin.ts';

export const icmpPlugin: CheckPlugin<Readonly<Record<never, never>>> = {
  ...checkTypes.ICMP,
  async check({ address }, run, { pinger }) {
    const latencyMs = await pinger.ping(address, run.signal);
    return { ...isUp, detail: { latencyMs } };
  },
};
