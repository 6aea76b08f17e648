// A name's settings in the graph's form and in the stored form for plans, and the rules for valid names.
import { domainToASCII, domainToUnicode } from 'node:url';
import type { GeoWay, PolicyStep } from '../../../../dns/policy/plan.ts';
import { type Preset, type PresetOptions, presetSteps } from '../../../../dns/policy/presets.ts';
import { quoted } from '../../../../platform/errors/errors.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import type { GslbSpec, NoneUpRow, PolicySpec } from '../../spec/specs.ts';

interface GivenOptions {
  readonly count?: number;
  readonly geoBy?: readonly GeoWay[];
  readonly toleranceKm?: number;
  readonly tolerancePercent?: number;
  readonly stickyIpv4Bits?: number;
  readonly stickyIpv6Bits?: number;
}

/** Settings that have columns or tables of their own. */
const apart: ReadonlySet<string> = new Set(['fqdn', 'flavor', 'applianceId', 'pools']);

/** `given`: valid according to `gslb` in parts/gslb.ts. */
export function nameSpec(given: JsonObject): GslbSpec & { readonly given: JsonObject } {
  const kept = Object.fromEntries(Object.entries(given).filter(([name]) => !apart.has(name)));
  return {
    description: String(given.description),
    policy: policyOf(given),
    ttlSeconds: Number(given.ttlSeconds),
    degradedTtlSeconds: given.degradedTtlSeconds === null ? null : Number(given.degradedTtlSeconds),
    noneUp: noneUpOf(given),
    clientBlocks: given.clientBlocks as unknown as GslbSpec['clientBlocks'],
    given: kept,
  };
}

function policyOf({ policy, policyOptions, steps }: JsonObject): PolicySpec {
  if (policy !== 'CUSTOM') {
    const preset = policy as Preset;
    const { tolerancePercent, ...options } = policyOptions as GivenOptions;
    const toleranceShare = shareOf(tolerancePercent);
    const given: PresetOptions = { ...options, ...(toleranceShare === undefined ? {} : { toleranceShare }) };
    return { preset, steps: presetSteps(preset, given) };
  }
  return { preset: 'CUSTOM', steps: (steps as readonly JsonObject[]).map(stepOf) };
}

function shareOf(percent: number | undefined): number | undefined {
  return percent === undefined ? undefined : percent / 100;
}

function stepOf({ step, ...rest }: JsonObject): PolicyStep {
  const given = rest as GivenOptions;
  switch (step) {
    case 'GEO':
      return { step, by: given.geoBy ?? ['CIDR', 'COUNTRY', 'CONTINENT'] };
    case 'PROXIMITY':
      return { step, toleranceKm: given.toleranceKm ?? 100 };
    case 'LATENCY':
      return { step, toleranceShare: shareOf(given.tolerancePercent) ?? 0.1 };
    case 'STICKY':
      return { step, ipv4Bits: given.stickyIpv4Bits ?? 24, ipv6Bits: given.stickyIpv6Bits ?? 48 };
    case 'FIRST':
      return { step, count: given.count ?? 1 };
    default:
      return { step: step as 'PRIORITY' | 'SHUFFLE' | 'WEIGHTED' };
  }
}

function noneUpOf({ noneUp, fallbackPool, fallbackCname }: JsonObject): NoneUpRow {
  if (noneUp === 'POOL') return { do: 'POOL', poolId: String(fallbackPool) };
  if (noneUp === 'CNAME') return { do: 'CNAME', target: String(fallbackCname).toLowerCase().replace(/\.$/, '') };
  return { do: noneUp as 'ALL' | 'LAST_KNOWN' | 'NODATA' | 'SERVFAIL' };
}

/** Leaves room for the prefix of a fence's name (dns/names.ts). */
const longestFqdn = 240;
const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

type ReadFqdn = { readonly fqdn: string; readonly fault?: never } | { readonly fault: string };

/** In lower case, without a final dot. */
export function readFqdn(text: string): ReadFqdn {
  const fqdn = text.toLowerCase().replace(/\.$/, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
  if (!/^[\x00-\x7f]*$/.test(fqdn)) {
    const ascii = domainToASCII(fqdn);
    const advice = ascii === '' ? 'give a name of letters, digits and hyphens' : `give it in ASCII: ${quoted(ascii)}`;
    return { fault: `fqdn is ${quoted(text)}, which is not ASCII; ${advice}` };
  }
  if (fqdn.length > longestFqdn)
    return { fault: `fqdn has ${fqdn.length} characters; at most ${longestFqdn} are allowed` };
  const labels = fqdn.split('.');
  const [first = '', ...rest] = labels;
  if (
    rest.some((each) => each.includes('*')) ||
    (first.includes('*') && first !== '*') ||
    (first === '*' && rest.length < 2)
  )
    return { fault: `fqdn is ${quoted(text)}; a wildcard is the whole first label, for example *.shop.example.com` };
  const wrong = (first === '*' ? rest : labels).find((each) => !label.test(each));
  if (wrong !== undefined)
    return { fault: `fqdn is ${quoted(text)}: ${quoted(wrong)} is not 1 to 63 letters, digits and inner hyphens` };
  const idn = labels.find((each) => each.startsWith('xn--') && domainToASCII(domainToUnicode(each)) !== each);
  const unread = labels.find((each) => each.startsWith('xn--') && domainToUnicode(each) === each);
  if (idn !== undefined || unread !== undefined)
    return { fault: `fqdn is ${quoted(text)}: ${quoted(idn ?? unread ?? '')} is not a valid internationalised label` };
  return { fqdn };
}
