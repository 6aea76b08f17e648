// `tidegate mappings`: the backend objects of CMP objects, their verification, and an export.
import type { Noun } from '../../verb.ts';
import { adopt } from './adopt.ts';
import { exportMappings } from './export.ts';
import { forget } from './forget.ts';
import { list } from './list.ts';
import { show } from './show.ts';
import { verify } from './verify.ts';

export const mappings: Noun = { list, show, verify, adopt, forget, export: exportMappings };
