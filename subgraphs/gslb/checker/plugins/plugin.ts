// A check plugin: one file with a name, the JSON Schema of its parameters, and `check`. It imports only platform/net and Node's own
// modules, because the graph reads the schemas too.
import type { Socket } from 'node:net';
import type { CheckReading, ProbeRun } from '../../../../platform/checks/probe.ts';
import type { JsonObject } from '../../../../platform/json.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { Address } from '../../../../platform/net/origin.ts';
import type { OpenStack } from '../tools/openstack.ts';

/** What is checked: one address of a member. The egress policy and the vantage point's blocks were asked about it. */
export interface Checked<Parameters> {
  /** The member's address, or the name that gave it. */
  readonly host: string;
  readonly address: string;
  /** 0 if the plugin needs none. */
  readonly port: number;
  readonly parameters: Parameters;
  /** The monitor's credentials: for the member alone, never in a message. */
  readonly secret: JsonObject | undefined;
}

/** What the checker has for its plugins. */
export interface CheckTools {
  /** Connects where `egress` allows it. The caller listens to 'error', and destroys the socket. */
  dial(egress: EgressPolicy, where: Address): Socket;
  readonly pinger: {
    /** Resolves with the way's time at the first answer to an echo request that comes after the call; `giveUp` ends the wait. */
    ping(address: string, giveUp: AbortSignal): Promise<number>;
  };
  /** Reads objects of OpenStack. */
  readonly openStack: Pick<OpenStack, 'get'>;
  readonly programs: {
    /** Runs a program of the checker's settings by its name. Rejects when there is none, or it could not be run. */
    run(name: string, call: ProgramCall): Promise<ProgramResult>;
  };
}

export interface ProgramCall {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface ProgramResult {
  /** Null: it was ended by a signal. */
  readonly exitCode: number | null;
  /** The first line that it wrote. */
  readonly line: string;
}

export interface Measured {
  /** If it is not the check's own time. */
  readonly latencyMs: number;
}

export interface CheckPlugin<Parameters = never> {
  /** The monitor's type: upper-case letters, digits and underscores. */
  readonly name: string;
  /** JSON Schema (draft 7) of the parameters. */
  readonly parameters: object;
  /** Whether a target needs a port. */
  readonly needsPort: boolean;
  /** Its parameters say where it connects: it is called once for a target, and asks `run.egress` itself. */
  readonly connectsItself?: true;
  /**
   * Resolves with the result: a target without an answer is `up: false`. Rejects when the check could not be made at all, which is no
   * result. `run.onCancel` or `run.signal` tell the deadline; `run.egress` is asked about each dialled address.
   */
  check(checked: Checked<Parameters>, run: ProbeRun, tools: CheckTools): Promise<CheckReading<Measured>>;
}

/** The schema of parameters, all of them optional unless required. */
export function parametersSchema(properties: object, required: readonly string[] = []): object {
  return { type: 'object', additionalProperties: false, required, properties };
}
