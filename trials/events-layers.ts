// `npm run trials -- events`: the complete proof of the event stream in both of its layers, as one JSON line.
import { defineTrial } from './define-trial.ts';
import { runEventTrials } from './events.ts';
import { runGatewayEventTrials } from './events-gateway.ts';
import { folderOption, oneOf } from './trial-options.ts';

export const trialEvents = defineTrial({
  counts: { events: { help: 'events in each layer', usual: 10_000 } },
  options: {
    layer: oneOf('tested layers', ['both', 'feed', 'gateway'], 'both'),
    folder: folderOption('the logs of the processes behind the gateway'),
  },
  async run({ layer, ...given }) {
    const feed = layer === 'gateway' ? undefined : await runEventTrials(given);
    const gateway = layer === 'feed' ? undefined : await runGatewayEventTrials(given);
    const sum = (name: 'events' | 'gaps' | 'duplicates' | 'outOfOrder' | 'invariants') =>
      (feed?.[name] ?? 0) + (gateway?.[name] ?? 0);
    return {
      events: sum('events'),
      gaps: sum('gaps'),
      duplicates: sum('duplicates'),
      outOfOrder: sum('outOfOrder'),
      invariants: sum('invariants'),
      clientsEnded: gateway?.clientsEnded ?? 0,
      feed,
      gateway,
    };
  },
  mustBeZero: ['gaps', 'duplicates', 'outOfOrder', 'invariants', 'clientsEnded'],
  ran: ({ feed, gateway }) => ({ events: Math.min(...[feed, gateway].flatMap((each) => each?.events ?? [])) }),
});
