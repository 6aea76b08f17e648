// Autoscaling policies in inputs: their checks and defaults.
import type { AutoscalingPolicyInput } from '../../../../generated/graph/loadbalancer.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { defaultPolicy, type ScalingPolicy } from '../../rules/scaling-policy.ts';
import { isTimeOfDay, isTimeZone } from '../../rules/schedule.ts';

/** PLUGIN[-INSTANCE]/TYPE[-INSTANCE], and the position of the value if the type has several. */
const collectdName = /^[^\s/]{1,127}\/[^\s/]{1,127}(\/\d{1,2})?$/;
const hourMs = 3_600_000;
/** Of a load balancer. */
export const mostNodes = 64;

/** The policy that the input asks for. Omitted fields and nulls get their defaults. Adds faults with paths below `field`. */
export function checkedPolicy(check: InputCheck, field: string, input: AutoscalingPolicyInput): ScalingPolicy {
  const policy = policyOf(input);
  const at = (name: string) => `${field}.${name}`;
  const integer = (name: keyof AutoscalingPolicyInput, min: number, max: number) =>
    check.integer(at(name), input[name] as number | null | undefined, { min, max });
  integer('requestsPerNode', 1, 1_000_000);
  integer('targetPercent', 10, 95);
  integer('tolerancePercent', 0, 50);
  integer('periodMs', 5_000, hourMs);
  integer('warmUpMs', 0, hourMs);
  integer('cooldownMs', 0, hourMs);
  integer('downWindowMs', 0, hourMs);
  const wants = 'PLUGIN/TYPE as collectd names values, for example cpu/percent-active';
  const required = input.signal === 'COLLECTD';
  check.text(at('collectdValue'), input.collectdValue, { required, max: 255, pattern: collectdName, wants });
  if (!required && input.collectdValue != null)
    check.fault(
      at('collectdValue'),
      `${at('collectdValue')} is only for the signal COLLECTD; omit it, or set the signal`,
    );
  if (required && input.requestsPerNode != null)
    check.fault(
      at('requestsPerNode'),
      `${at('requestsPerNode')} is only for the signal LOAD; omit it, or set the signal`,
    );
  if (input.timeZone != null && !isTimeZone(input.timeZone))
    check.fault(
      at('timeZone'),
      `${at('timeZone')} is ${JSON.stringify(input.timeZone.slice(0, 80))}; give a name of the IANA database, for example Europe/Berlin`,
    );
  check.list(at('schedule'), input.schedule ?? [], { max: 32 }, (window, path) => checkWindow(check, path, window));
  return policy;
}

function checkWindow(
  check: InputCheck,
  field: string,
  window: NonNullable<AutoscalingPolicyInput['schedule']>[number],
): void {
  check.count(`${field}.days`, window.days, { min: 1, max: 7 });
  if (window.days.some((day) => !Number.isInteger(day) || day < 1 || day > 7))
    check.fault(`${field}.days`, `${field}.days has other numbers than 1 (Monday) to 7; give days of the week`);
  for (const name of ['from', 'to'] as const)
    if (!isTimeOfDay(window[name]))
      check.fault(
        `${field}.${name}`,
        `${field}.${name} is ${JSON.stringify(window[name].slice(0, 20))}; give a time of the day as HH:MM`,
      );
  check.integer(`${field}.minNodes`, window.minNodes, { min: 1, max: mostNodes });
  check.integer(`${field}.maxNodes`, window.maxNodes, { min: 1, max: mostNodes });
  const isEachRight = isNodeCount(window.minNodes) && isNodeCount(window.maxNodes);
  if (isEachRight && window.maxNodes < window.minNodes)
    check.fault(
      `${field}.maxNodes`,
      `${field}.maxNodes is ${window.maxNodes}; give at least its minNodes, which is ${window.minNodes}`,
    );
}

/** Others have a fault of their own. */
export function isNodeCount(nodes: number): boolean {
  return nodes >= 1 && nodes <= mostNodes;
}

/** Omitted fields and nulls get their defaults. */
export function policyOf(input: AutoscalingPolicyInput): ScalingPolicy {
  const given = Object.entries(input).filter(([, value]) => value != null);
  const { schedule, ...rest } = Object.fromEntries(given) as Partial<ScalingPolicy>;
  const windows = (schedule ?? []).map(({ days, from, to, minNodes, maxNodes }) => ({
    ...{ days: [...new Set(days)].sort(), from, to, minNodes, maxNodes },
  }));
  return { ...defaultPolicy, ...rest, schedule: windows };
}
