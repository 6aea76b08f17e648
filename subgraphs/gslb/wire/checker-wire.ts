// Messages between a checker and the conductor, in addition to the link's own. control/stores/batch-ledger.ts decides which batches count.
//
// To the checker:
// - document `grant`: at each connect with a new incarnation, and again, in the same incarnation, with each new epoch. Also, with a new
//   incarnation, instead of the stamp for a batch of an earlier epoch. Its generation is the epoch. The checker accepts each (incarnation,
//   epoch) once, and reports everything again after each.
// - document `target/MEMBER/MONITOR`, and `gone` for a target that is no longer assigned to it: after the `grant` of their epoch, so that
//   the checker's reports count while many targets are sent. Its reports on targets of other checkers do not count in this time.
// - change `stamp` with each acknowledgement, before the link's `stored`.
// From the checker:
// - its facts in the link's hello.
// - report `batch`: one at a time, the next after `stored`. An empty one is a heartbeat. If the conductor refuses a batch, it closes the
//   connection. The checker then reconnects, and never sends a batch of an earlier connection again.
import { z } from 'zod';
import type { JsonObject } from '../../../platform/values/json.ts';
import { isObject } from '../../../platform/values/json.ts';
import { positionShape } from '../../../platform/values/positions.ts';

/** The role of the machines that connect. */
export const checkerRole = 'checker';
/** Limit of current and past verdicts in one batch: `LedgerLimits.mostVerdicts`. */
export const mostVerdicts = 1_000;
export const mostMessageLength = 255;

export const grantKey = 'grant';
export const stampKey = 'stamp';
export const batchKey = 'batch';

/** Name of a deployer's own check plugin. The sizes limit the JSON Schema of one, and of all plugins of a checker. */
export const ownPluginName = /^[A-Z][A-Z0-9_]{0,31}$/;
export const mostOwnPlugins = 100;
const mostSchemaLength = 16_384;
export const mostSchemasLength = 131_072;

const uuid = z.uuid();
const ms = (min: number, max: number) => z.number().int().min(min).max(max);
const count = z.number().int().nonnegative();
/** By the conductor's clock. */
const stamp = z.number().nonnegative();
const name = z.string().min(1).max(255);
const host = z.string().min(1).max(253);
const port = z.number().int().min(1).max(65_535);
const blocks = z.array(z.string().max(64)).max(10_000);

export interface TargetName {
  readonly member: string;
  readonly monitor: string;
}

/** No check takes longer. */
export const longestLatencyMs = 600_000;

/** `MEMBER/MONITOR`: the target of a verdict. */
export function targetId({ member, monitor }: TargetName): string {
  return `${member}/${monitor}`;
}

/** Undefined if it is not a target's id. */
export function targetNamed(id: string): TargetName | undefined {
  const [member = '', monitor = '', ...rest] = id.split('/');
  return rest.length === 0 && uuid.safeParse(member).success && uuid.safeParse(monitor).success
    ? { member, monitor }
    : undefined;
}

const { history } = positionShape.shape;

const targetPrefix = 'target/';

/** The key of its document. */
export function targetKey(target: TargetName): string {
  return `${targetPrefix}${targetId(target)}`;
}

/** The target's id in the key of a document. Undefined if it is not a target's. */
export function targetOfKey(key: string): string | undefined {
  return key.startsWith(targetPrefix) ? key.slice(targetPrefix.length) : undefined;
}

/** Inverse of `targetKey`. */
export function nameOfKey(key: string): TargetName {
  const [, member = '', monitor = ''] = key.split('/');
  return { member, monitor };
}

/** Reason why the schema of a plugin is refused, in words that follow "parameters". Undefined if it is accepted. */
export function schemaFault(schema: object): string | undefined {
  const text = JSON.stringify(schema);
  if (text.length > mostSchemaLength) return `of more than ${mostSchemaLength} characters`;
  // References to references double the work each time.
  return /"\$(ref|recursiveRef|dynamicRef)":/.test(text) ? 'with a $ref: write it out' : undefined;
}

const ownPlugin = z.object({
  name: z.string().regex(ownPluginName),
  needsPort: z.boolean(),
  /** JSON Schema (draft 7). */
  parameters: z.custom<JsonObject>(isObject).superRefine((schema, { addIssue }) => {
    const wrong = schemaFault(schema);
    if (wrong !== undefined) addIssue(`parameters ${wrong}`);
  }),
});
export type OwnPlugin = z.output<typeof ownPlugin>;

export const checkerFacts = z.strictObject({
  /** Name of the vantage point. Refused if it differs from the machine's record. */
  vantagePoint: name,
  /** Version of the program. */
  version: z.string().max(64),
  /** Types of monitors that it can check. */
  plugins: z.array(z.string().max(32)).max(256),
  /** The custom plugins among them, whose schemas the graph publishes. */
  own: z
    .array(ownPlugin)
    .max(mostOwnPlugins)
    .refine((own) => JSON.stringify(own).length <= mostSchemasLength, 'their parameters are too long together')
    .optional(),
});
export type CheckerFacts = z.output<typeof checkerFacts>;

export const grantDocument = z.strictObject({
  /** History of the incarnation and the epoch. */
  history,
  incarnation: count.min(1),
  epoch: count,
  vantagePoint: name,
  stampMs: stamp,
  /** The last batch of the previous incarnation that counted, so that no history is duplicated after a lost acknowledgement. Absent if unknown. */
  counted: count.optional(),
  /** CIDR blocks that this vantage point may dial. Empty for all. */
  allowedBlocks: blocks,
  /** CIDR blocks that this vantage point may not dial, even if they are in `allowedBlocks`. */
  deniedBlocks: blocks,
  /** The installation's egress policy (platform/net/egress.ts). The checker's own policy applies too. */
  egress: z.object({ allow: blocks, deny: blocks, own: blocks }).optional(),
  /** A checker that reaches fewer than half of the beacons by TCP abstains. */
  beacons: z.array(z.object({ host, port })).max(16),
  /** An older vote does not count. A batch that is not acknowledged within this time becomes history. */
  freshMs: ms(100, 3_600_000),
  heartbeatMs: ms(50, 600_000),
});
export type Grant = z.output<typeof grantDocument>;

export const targetDocument = z.strictObject({
  member: uuid,
  monitor: uuid,
  /** MonitorType, or the name of a deployer's own plugin. */
  type: z.string().min(1).max(32),
  /** Addresses or names. The target is UP if all of them are. */
  hosts: z.array(host).min(1).max(16),
  /** Null if the check needs none (ICMP). */
  port: port.nullable(),
  /** Valid for the plugin's schema. */
  parameters: z.custom<JsonObject>(isObject),
  delayMs: ms(100, 86_400_000),
  timeoutMs: ms(10, longestLatencyMs),
  /** Consecutive results needed for DOWN and for UP. */
  failures: ms(1, 100),
  successes: ms(1, 100),
  /** Delay before the next check after a first failure. At most half the normal delay. */
  confirmMs: ms(1, 60_000),
  /** The monitor's opened credentials: never stored, never logged. */
  secret: z.custom<JsonObject>(isObject).optional(),
  /** Names among `hosts` are checked only at addresses in these blocks, so that credentials reach nobody else. Absent if there is no limit. */
  authBlocks: blocks.optional(),
});
export type Target = z.output<typeof targetDocument>;

export const stampChange = z.object({ stampMs: stamp });

const spokenVerdict = z.object({
  /** `MEMBER/MONITOR`. */
  target: z.string().max(80),
  verdict: z.enum(['UP', 'DOWN']),
  /** Time from the check that first showed it to the making of the batch, by the checker's monotonic clock. */
  agoMs: count,
  /** Latency of the last successful check. Null if there is none, or the check measures none. */
  latencyMs: count.max(longestLatencyMs).nullable(),
  /** Why it is DOWN. Null if it is UP. */
  message: z.string().max(mostMessageLength).nullable(),
});
export type SpokenVerdict = z.output<typeof spokenVerdict>;

/** The ledger's `Batch`, with the details that are stored with votes and history. */
export const checkerBatch = z.strictObject({
  vantagePoint: name,
  /** History of the incarnation and the epoch. */
  history,
  incarnation: count,
  epoch: count,
  number: count.min(1),
  stampMs: stamp,
  abstains: z.boolean(),
  verdicts: z.array(spokenVerdict).max(mostVerdicts),
  /** Changes from the time without a connection, oldest first: history. */
  past: z.array(spokenVerdict).max(mostVerdicts),
  /** Stored in the checker's row. */
  load: z.object({
    targets: count,
    /** Longest delay of checks of UP targets in the last seconds. */
    lateMs: count,
    /** Number of past changes that were dropped for lack of space since the checker started. */
    dropped: count,
    /** Why it abstains. Null if it does not. */
    abstains: z.string().max(mostMessageLength).nullable(),
  }),
});
export type CheckerBatch = z.output<typeof checkerBatch>;
