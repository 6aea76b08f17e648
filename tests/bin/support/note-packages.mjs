// Preloaded into a program (`node --import`). At its end it writes the npm packages that it has loaded, one per line, to the file PACKAGES_FILE.
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const packages = new Set();
registerHooks({
  load(url, context, next) {
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
    if (name !== undefined) packages.add(name);
    return next(url, context);
  },
});
process.on('exit', () => writeFileSync(process.env.PACKAGES_FILE, [...packages].sort().join('\n')));
