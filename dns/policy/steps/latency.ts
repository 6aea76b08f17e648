// LATENCY: by the measurements of the vantage points in the client's region.
import { type Step, some } from './step.ts';

export function latencyStep(toleranceShare: number): Step {
  return {
    name: 'LATENCY',
    choose(from, client) {
      if (from.every(({ latencyMs }) => latencyMs.size === 0)) return from;
      const region = client.region();
      if (region === null) return from;
      const measured = from.map(({ latencyMs }) => latencyMs.get(region) ?? Number.POSITIVE_INFINITY);
      const least = Math.min(...measured);
      if (least === Number.POSITIVE_INFINITY) return from;
      const most = least * (1 + toleranceShare);
      return some(from, (_, at) => (measured[at] ?? most) <= most) ?? from;
    },
    why({ latencyMs }, client) {
      const region = client.region() ?? '';
      const ms = latencyMs.get(region);
      if (ms === undefined) return `its latency from region ${region} is not known`;
      return `from region ${region} it takes ${ms} ms, more than ${Math.round(toleranceShare * 100)} percent longer than another`;
    },
  };
}
