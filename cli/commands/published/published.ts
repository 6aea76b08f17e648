// `tidegate published`: operations that clients may send by the hash of their text (docs/published-operations.md).
import type { Noun } from '../../verb.ts';
import { add } from './add.ts';
import { check } from './check.ts';
import { list } from './list.ts';
import { remove } from './remove.ts';

export const published: Noun = { list, add, remove, check };
