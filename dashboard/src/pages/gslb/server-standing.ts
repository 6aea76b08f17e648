// Whether a name server answers as the others do. Weighted and shuffled answers are drawn: servers in step answer differently.
import type { GslbExplanationQuery } from '../../../../generated/dashboard/graphql.ts';

type Explanation = NonNullable<GslbExplanationQuery['gslbExplain']>;
type Server = Pick<Explanation['servers'][number], 'answered' | 'planned'>;
type Step = Explanation['steps'][number];

interface Draw {
  /** Names of the members, of which each answer has some. */
  readonly among: readonly string[];
  readonly byWeight: boolean;
  /** All that an answer may have. */
  readonly data: ReadonlySet<string>;
}

const randomSteps: ReadonlySet<string> = new Set(['WEIGHTED', 'SHUFFLE']);

/** Undefined if nothing is drawn: then all servers in step answer the same. */
export function drawOf(steps: readonly Step[]): Draw | undefined {
  const step = steps.findLast((each) => randomSteps.has(each.step));
  if (step === undefined || step.kept.length < 2) return undefined;
  const members = step.kept.flatMap(({ member }) => (member === null ? [] : [member]));
  // A deleted member has no addresses any more: what is drawn can't be told from another answer.
  if (members.length < step.kept.length) return undefined;
  return {
    among: members.map(({ name }) => name),
    byWeight: step.step === 'WEIGHTED',
    data: new Set(
      members.flatMap(({ addresses, cname }) => [
        ...addresses,
        ...(cname === null ? [] : [`${cname.replace(/\.$/, '')}.`]),
      ]),
    ),
  };
}

/** `drawn by weight among eu, ap`. */
export function drawWords({ among, byWeight }: Draw): string {
  return `drawn ${byWeight ? 'by weight' : 'at random'} among ${among.join(', ')}`;
}

/** Null if that can't be told. */
export function isInStep({ answered, planned }: Server, draw: Draw | undefined): boolean | null {
  if (answered === null) return null;
  const data = answered.records.map((record) => record.data);
  if (draw !== undefined && data.length > 0) return data.every((each) => draw.data.has(each));
  if (planned === null) return null;
  const wanted = new Set(planned.records.map((record) => record.data));
  return answered.outcome === planned.outcome && data.length === wanted.size && data.every((each) => wanted.has(each));
}
