// TCP: a connection is accepted; optionally a text is sent and one expected.
import { type TcpParameters, talkSchema, tcpProbe } from '../../../../platform/checks/probes/tcp.ts';
import { type CheckPlugin, parametersSchema } from './plugin.ts';

export const tcpPlugin: CheckPlugin<Pick<TcpParameters, 'send' | 'expect'>> = {
  name: 'TCP',
  parameters: parametersSchema(talkSchema),
  needsPort: true,
  check: ({ address, port, parameters }, run) => tcpProbe.check({ ...parameters, host: address, port }, run),
};
