// UDP: a datagram is sent. With `expect`, the answer must contain the text. Otherwise any answer is good, and so is silence for most of the timeout.
// Only a refusal (ICMP port unreachable) is a failure, because there is no other sign.
import { type CheckReading, isDown, isUp } from '../../../../../platform/checks/probe.ts';
import { reasonOf } from '../../../../../platform/checks/probes/connection.ts';
import { sendDatagram } from '../../../../../platform/net/datagram.ts';
import { checkTypes } from '../../../spec/check-types.ts';
import type { CheckPlugin } from './plugin.ts';

interface UdpParameters {
  readonly send?: string;
  readonly expect?: string;
}

/** Share of the timeout. */
const silentShare = 0.8;

export const udpPlugin: CheckPlugin<UdpParameters> = {
  ...checkTypes.UDP,
  check: ({ address, port, parameters: { send = '', expect } }, run) =>
    new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (reading: CheckReading<never>) => {
        clearTimeout(timer);
        close();
        resolve(reading);
      };
      const close = sendDatagram(run.egress, { host: address, port }, Buffer.from(send), {
        take: (datagram) => {
          if (expect === undefined || datagram.includes(expect)) end(isUp);
        },
        failed: (error) => end(isDown(refusalOf(error))),
      });
      run.onCancel(() => end(isDown(`no expected answer within ${run.timeoutMs} ms`)));
      if (expect === undefined) timer = setTimeout(() => end(isUp), run.timeoutMs * silentShare);
    }),
};

function refusalOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' ? 'nobody listens at the port' : reasonOf(error);
}
