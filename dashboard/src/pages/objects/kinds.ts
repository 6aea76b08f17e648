// The entity kinds of the page of object storage.
import type { AnyKind } from '../../live/entity-kind.ts';
import { clusterKind } from './kinds/cluster.ts';

export const kinds: readonly AnyKind[] = [clusterKind];
