// The entity kinds of the relay's page.
import type { AnyKind, Subjects } from '../../live/entity-kind.ts';
import { backendKind } from './kinds/backend.ts';
import { mappingKind } from './kinds/mapping.ts';
import { operationKind } from './kinds/operation.ts';

export const kinds: readonly AnyKind[] = [backendKind, operationKind, mappingKind];

export const subjects: Subjects = { kinds };
