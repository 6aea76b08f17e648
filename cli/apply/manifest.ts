// An object that a file describes, and a fault of the file.
import type { JsonObject } from '../../platform/values/json.ts';
import type { PartName } from '../../subgraphs/loadbalancer/spec/part-kind.ts';
import type { SourceFault } from '../source.ts';
import type { PartNode } from './tree.ts';

export interface WantedManifest {
  readonly kind: string;
  /** Of an AutoscalingPolicy: that of its load balancer. Of a part: after that of its parent. */
  readonly name: string;
  readonly line: number;
  /** The base of relative paths in its file. */
  readonly folder: string;
  /** As the create input of the kind takes them; without the tree. */
  readonly fields: JsonObject;
  readonly tree: ReadonlyMap<PartName, readonly PartNode[]>;
  readonly secrets: readonly string[];
  /** Of a Backend: the manifest without its kind. */
  readonly value: JsonObject;
  lineOf(path: readonly string[]): number;
}

export interface ApplyFault extends SourceFault {
  /** Kind and name, where they are known. */
  readonly document: string | null;
}
