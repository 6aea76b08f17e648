// The entry of the `tidegate` program. What Node compiles of it (TypeScript without types, V8's code) is kept beside the
// generated code for the next start, which takes a fifth less CPU time by it.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// A folder that can't be written to is no obstacle: nothing is kept then.
enableCompileCache(fileURLToPath(new URL('../generated/compile-cache', import.meta.url)));
await import('./main.ts');
