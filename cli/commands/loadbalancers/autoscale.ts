// `tidegate loadbalancers autoscale NAME`.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { balancerId, disableOption, settled, weekdays } from '../../balancer.ts';
import { UsageError } from '../../failures.ts';
import { choice, flag, giving, integer, several, text } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { requestsOption } from './create.ts';
import { previewed, previewOption } from './preview.ts';

export const policyDocument = graphql(`
  mutation LoadBalancersAutoscale($input: AutoscalingPolicySetInput!) {
    autoscalingPolicySet(input: $input) {
      loadBalancer {
        id
        name
        minNodes
        maxNodes
        autoscaling { dryRun signal targetPercent }
      }
      commit { token }
      userErrors { code message field }
    }
  }
`);

const endDocument = graphql(`
  mutation LoadBalancersAutoscaleEnd($input: AutoscalingPolicyDeleteInput!) {
    autoscalingPolicyDelete(input: $input) {
      loadBalancer { id name minNodes maxNodes autoscaling { dryRun signal targetPercent } }
      commit { token }
      userErrors { code message field }
    }
  }
`);

const seconds = (what: string, least = 0) => integer('SECONDS', what, { least, most: 3_600 });
const toMs = (given: number | undefined) => (given === undefined ? undefined : given * 1_000);

const scheduleOption = several(
  'DAYS@FROM-TO=MIN..MAX',
  'Other bounds at certain hours, for example mon-fri@08:00-18:00=4..10, or sat,sun@… or daily@….',
  (given, name) => {
    const [, days = '', from, to, least, most] =
      /^([a-z,-]+)@(\d\d:\d\d)-(\d\d:\d\d)=(\d{1,2})\.\.(\d{1,2})$/.exec(given) ?? [];
    const numbers = daysOf(days);
    if (from === undefined || to === undefined || numbers === undefined)
      throw new UsageError(`${name} takes DAYS@FROM-TO=MIN..MAX, as mon-fri@08:00-18:00=4..10, not '${given}'`);
    return { days: numbers, from, to, minNodes: Number(least), maxNodes: Number(most) };
  },
);

/** 1 (Monday) to 7, for `mon-fri`, `sat,sun` or `daily`. Undefined for other texts. */
function daysOf(text: string): number[] | undefined {
  if (text === 'daily') return weekdays.map((_, index) => index + 1);
  const days: number[] = [];
  for (const part of text.split(',')) {
    const [first = '', last = first, ...more] = part.split('-');
    const [begin, end] = [weekdays.indexOf(first), weekdays.indexOf(last)];
    if (begin < 0 || end < 0 || more.length > 0) return undefined;
    // Ranges may cross the end of the week.
    for (let day = begin; ; day = (day + 1) % 7) {
      days.push(day + 1);
      if (day === end) break;
    }
  }
  return days;
}

export const autoscale = remoteVerb({
  summary: 'Let the number of nodes follow the load; options left out have their defaults.',
  takes: ['NAME'],
  named: ['loadBalancerId'],
  options: {
    target: giving(
      ['policy.targetPercent'],
      integer('PERCENT', 'Wanted load of a node (60).', { least: 10, most: 95 }),
    ),
    tolerance: giving(
      ['policy.tolerancePercent'],
      integer('PERCENT', 'No change while the load is so close to it (10).', { least: 0, most: 50 }),
    ),
    signal: choice('SIGNAL', ['LOAD', 'COLLECTD'], 'LOAD, or COLLECTD with --collectd-value (LOAD).'),
    'collectd-value': text('NAME', 'Value of collectd in percent, for example cpu/percent-active.'),
    'requests-per-node': requestsOption,
    'decide-every': giving(['policy.periodMs'], seconds('Between two decisions (15).', 5)),
    'warm-up': giving(['policy.warmUpMs'], seconds('Time before a new node is measured (30).')),
    cooldown: giving(['policy.cooldownMs'], seconds('Time without removals after an addition (60).')),
    'down-window': giving(
      ['policy.downWindowMs'],
      seconds('The number falls only to the largest recommended in this time (300).'),
    ),
    schedule: scheduleOption,
    'time-zone': text('NAME', 'By whose clock the hours are meant, for example Europe/Berlin (UTC).'),
    'only-decide': giving(['policy.dryRun'], flag('Decide, and change nothing.')),
    off: disableOption,
    preview: previewOption,
    project: commonOptions.project,
    wait: commonOptions.wait,
  },
  async run(call) {
    const { client, names, options, printer } = call;
    const policy = {
      targetPercent: options.target,
      tolerancePercent: options.tolerance,
      signal: options.signal,
      collectdValue: options['collectd-value'],
      requestsPerNode: options['requests-per-node'],
      periodMs: toMs(options['decide-every']),
      warmUpMs: toMs(options['warm-up']),
      cooldownMs: toMs(options.cooldown),
      downWindowMs: toMs(options['down-window']),
      schedule: options.schedule.length === 0 ? undefined : [...options.schedule],
      timeZone: options['time-zone'],
    };
    if (options.off && (options['only-decide'] || Object.values(policy).some((each) => each !== undefined)))
      throw new UsageError('--off takes no other settings');
    const loadBalancerId = await balancerId(client, names[0], options.project);
    const change = { loadBalancerId, policy: { ...policy, dryRun: options['only-decide'] } };
    const previewedChange = options.off
      ? { autoscalingPolicyDelete: { loadBalancerId } }
      : { autoscalingPolicySet: change };
    if (await previewed(call, loadBalancerId, previewedChange)) return;
    const idempotencyKey = randomUUID();
    const { loadBalancer: made, commit } = options.off
      ? await client.mutate(endDocument, { idempotencyKey, loadBalancerId })
      : await client.mutate(policyDocument, { idempotencyKey, ...change });
    await settled(call, commit);
    if (options.json) return printer.json(made);
    const set = made?.autoscaling ?? null;
    return printer.line(
      set === null
        ? `${names[0]} has ${made?.minNodes ?? '?'} nodes`
        : `${names[0]} has ${made?.minNodes} to ${made?.maxNodes} nodes, for a load of ${set.targetPercent} %${set.dryRun ? ' (dry run: nothing changes)' : ''}`,
    );
  },
});
