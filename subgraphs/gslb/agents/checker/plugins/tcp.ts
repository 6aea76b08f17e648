// TCP: a connection is accepted. Optionally a text is sent, and one expected.
import { type TcpParameters, tcpProbe } from '../../../../../platform/checks/probes/tcp.ts';
import { checkTypes } from '../../../spec/check-types.ts';
import type { CheckPlugin } from './plugin.ts';

export const tcpPlugin: CheckPlugin<Pick<TcpParameters, 'send' | 'expect'>> = {
  ...checkTypes.TCP,
  check: ({ address, port, parameters }, run) => tcpProbe.check({ ...parameters, host: address, port }, run),
};
