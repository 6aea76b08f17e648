// Removes one guard of the protocol at a time. The model must find what breaks. If it finds nothing, either the guard is unnecessary, or
// the model does not cover it.
import { asOfAll } from '../../platform/registers/as-of.ts';
import type { Placement } from '../../platform/registers/placement.ts';
import { Registers, type RegistersOptions } from '../../platform/registers/registers.ts';
import * as rules from '../../platform/registers/rules.ts';
import type { Version } from '../../platform/registers/version.ts';
import { productRules, type Value } from './model-replica.ts';
import { type Emphasis, type Guards, productGuards, type WorldOptions } from './world.ts';

class ReadsWithoutBringing extends Registers<Value> {
  protected override bring(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

class RefusesWithoutBringing extends Registers<Value> {
  protected override isHeld(): boolean {
    return true;
  }
}

class SendsAgain extends Registers<Value> {
  protected override finish(name: string, { value }: rules.Written<Value>): Promise<Version> {
    return this.write(name, value);
  }
}

class BringsToOneGroup extends Registers<Value> {
  protected override bring(
    name: string,
    { epoch, groups }: Placement,
    newest: rules.Written<Value>,
    holders: ReadonlySet<number>,
  ): Promise<boolean> {
    return super.bring(name, { epoch, groups: groups.slice(0, 1) }, newest, holders);
  }
}

/** Its versions rise only as fast as its clock. */
class GoesByItsClock extends Registers<Value> {
  constructor(options: RegistersOptions<Value>) {
    const { clock } = options;
    super({ ...options, clock: { next: () => clock.next(), meet: (version) => clock.meet(version) } });
  }
}

function withRules(changed: Partial<typeof productRules>): Guards {
  return { ...productGuards, rules: { ...productRules, ...changed } };
}

export interface Trap extends WorldOptions {
  /** The seed of a schedule that revealed it when this was written. The search starts there. */
  readonly seed: number;
}

const ringChanges: Emphasis = 'a ring changes';
const forgotten: Emphasis = 'deletions are forgotten';
const steps: Emphasis = 'clocks step';
const single: Emphasis = 'single replicas are asked';

export const traps: Readonly<Record<string, Trap>> = {
  'a read does not bring what it met to a majority': {
    guards: { ...productGuards, registers: ReadsWithoutBringing },
    seed: 6,
  },
  'a refused condition does not bring what refused it to a majority': {
    guards: { ...productGuards, registers: RefusesWithoutBringing },
    seed: 54,
  },
  'a read brings what it met to the old ring only': {
    guards: { ...productGuards, registers: BringsToOneGroup },
    emphasis: [ringChanges],
    seed: 109,
  },
  'a version is made by the clock alone, which was set back': {
    guards: { ...productGuards, registers: GoesByItsClock },
    emphasis: [steps],
    seed: 7_013,
  },
  'a write that may be taken is sent again under a higher version': {
    guards: { ...productGuards, registers: SendsAgain },
    seed: 106,
  },
  'plain writes and repairs ignore promises': {
    guards: withRules({
      accept: ({ row, floor }, written) => rules.accept({ row: withoutPromise(row), floor }, written),
    }),
    seed: 145,
  },
  'a promise is given although a later one was': {
    guards: withRules({
      promise: ({ row, floor }, ballot) => rules.promise({ row: withoutPromise(row), floor }, ballot),
    }),
    seed: 218,
  },
  'an older version is taken': {
    guards: withRules({
      accept: ({ row }, { version, value }) => ({ version, value, promised: row?.promised ?? version }),
    }),
    seed: 18,
  },
  'a deletion is forgotten once a majority has confirmed it': {
    guards: { ...productGuards, forgetsWhenAllConfirm: false },
    emphasis: [forgotten],
    seed: 998,
  },
  'no floor is left by what was forgotten': {
    guards: withRules({ floorAfter: (floor) => floor }),
    emphasis: [forgotten],
    seed: 36,
  },
  'a row with an open promise is forgotten': {
    guards: withRules({
      isForgettable: ({ row }, version) => row !== undefined && row.version === version && row.value === undefined,
    }),
    emphasis: [forgotten],
    seed: 31_450,
  },
  'the old ring ends before its rows are brought over': {
    guards: { ...productGuards, bringsOver: false },
    emphasis: [ringChanges],
    seed: 36,
  },
  'a replica does what comes with an old epoch': {
    guards: withRules({ takesEpoch: () => true }),
    emphasis: [ringChanges],
    seed: 206,
  },
  'a replica restored from a backup votes at once': {
    guards: withRules({ votesWhenRestored: true }),
    emphasis: ['a replica is restored'],
    seed: 197,
  },
  'a restored replica comes back in the epoch in which it was lost': {
    guards: { ...productGuards, restoresUnderNewEpoch: false },
    emphasis: ['a replica is restored'],
    seed: 5_049_710,
  },
  'the age of one replica counts what too few others had': {
    guards: withRules({
      asOfAll: (placement, asOf) =>
        asOfAll({ ...placement, groups: placement.groups.map((group) => group.slice(0, 2)) }, asOf),
    }),
    emphasis: [single],
    seed: 3,
  },
  'what another replica tells is of the moment of its answer': {
    guards: { ...productGuards, followsAsOfAsking: false },
    emphasis: [single],
    seed: 262,
  },
  'what a replica keeps back counts as taken': {
    guards: withRules({ isWhole: () => true }),
    emphasis: [single],
    seed: 16,
  },
  'what was followed before a ring changed counts afterwards': {
    guards: withRules({ countsFollowed: () => true }),
    emphasis: [single, ringChanges],
    seed: 13_013,
  },
  'a replica that was restored and does not vote yet is followed': {
    guards: withRules({ takesFrom: () => true }),
    emphasis: [single],
    seed: 471_074_133,
  },
};

function withoutPromise<Kept>(row: rules.Row<Kept> | undefined): rules.Row<Kept> | undefined {
  return row === undefined ? undefined : { ...row, promised: row.version };
}
