// ICMP: an echo request is answered. One fping asks for all targets.
import { isUp } from '../../../../platform/checks/probe.ts';
import { type CheckPlugin, parametersSchema } from './plugin.ts';

export const icmpPlugin: CheckPlugin<Readonly<Record<never, never>>> = {
  name: 'ICMP',
  parameters: parametersSchema({}),
  needsPort: false,
  async check({ address }, run, { pinger }) {
    const latencyMs = await pinger.ping(address, run.signal);
    return { ...isUp, detail: { latencyMs } };
  },
};
