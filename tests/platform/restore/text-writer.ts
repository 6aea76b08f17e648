// Writes one field after the other into a memory. Arguments: its path, the installation, the prefix of the fields, and their number.
import { FileTextMemory } from '../../../platform/restore/text-memory.ts';

const [path = '', installation = '', prefix = '', count = ''] = process.argv.slice(2);
const memory = new FileTextMemory(path);
for (let index = 0; index < Number(count); index += 1) await memory.write(installation, { [`${prefix}${index}`]: '1' });
