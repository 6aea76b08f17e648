// The entry of the `tidegate` program. Node's compilation results (TypeScript without types, V8's code) are cached beside the
// generated code for the next start, which saves a fifth of its CPU time.
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// A read-only folder does no harm: nothing is cached then.
enableCompileCache(fileURLToPath(new URL('../generated/compile-cache', import.meta.url)));
// At its end it is written by itself, but not by a process that is killed.
setTimeout(flushCompileCache, 30_000).unref();
await import('../cli/main.ts');
