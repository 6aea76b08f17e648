// An object in a file, and a fault of the file.
import type { JsonObject } from '../../platform/values/json.ts';
import type { PartName } from '../../subgraphs/loadbalancer/spec/part-kind.ts';
import type { SourceFault } from '../source.ts';
import type { PartNode } from './tree.ts';

export interface WantedManifest {
  readonly kind: string;
  /** An AutoscalingPolicy has the name of its load balancer. The name of a part follows its parent's. */
  readonly name: string;
  readonly line: number;
  /** The base of relative paths in its file. */
  readonly folder: string;
  /** In the form of the kind's create input, without the tree. */
  readonly fields: JsonObject;
  readonly tree: ReadonlyMap<PartName, readonly PartNode[]>;
  readonly secrets: readonly string[];
  /** For a Backend: the manifest without its kind. */
  readonly value: JsonObject;
  lineOf(path: readonly string[]): number;
}

export interface ApplyFault extends SourceFault {
  /** Kind and name, if known. */
  readonly document: string | null;
}
