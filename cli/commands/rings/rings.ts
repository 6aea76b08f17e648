// `tidegate rings`: which clusters of object storage hold what, and changes of that. Administrators only.
import type { Noun } from '../../verb.ts';
import { cancel, change, changes, pause, resume } from './change.ts';
import { list, preview } from './show.ts';

export const rings: Noun = { list, preview, change, changes, pause, resume, cancel };
