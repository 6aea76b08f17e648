// `tidegate ha renew-certificates`.
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure, exitCodes, Interruption } from '../../failures.ts';
import { text } from '../../option.ts';
import { hostVerb, waitOption } from './cluster-verb.ts';

const usualWaitSeconds = 30;
const pauseMs = 500;

export const renewCertificates = hostVerb({
  summary: 'Renew the certificates of the hosts now. They are renewed by themselves after two thirds of their life.',
  options: {
    host: text('HOST', 'The host whose certificates are renewed. Default: all.'),
    wait: waitOption(`it is done (${usualWaitSeconds})`),
  },
  async run({ cluster, asker, options, printer, signal }) {
    const { host, wait: seconds = usualWaitSeconds } = options;
    const asked = await cluster.renewCertificates(host, asker);
    const endsAtMs = performance.now() + seconds * 1_000;
    for (;;) {
      const left = (await cluster.renewing()).filter((each) => asked.includes(each));
      if (left.length === 0) {
        if (options.json) return printer.json({ renewed: asked });
        return printer.line(`The certificates of ${asked.join(', ')} are renewed.`);
      }
      if (performance.now() >= endsAtMs)
        throw new CommandFailure(
          `not done within ${seconds} s by ${left.join(', ')}: each does it as soon as its agent runs and reaches the first host; see the agent's log there`,
          exitCodes.late,
        );
      await sleep(pauseMs, undefined, { signal }).catch(() => {
        throw new Interruption('the certificates are renewed nevertheless');
      });
    }
  },
});
