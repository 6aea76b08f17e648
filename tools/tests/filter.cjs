// Jest's filter of test files: those of `TEST_FILES` (run.mjs), one path from the root a line. Given as arguments, Jest would print them all.
const { relative } = require('node:path');

module.exports = (paths) => {
  const wanted = new Set(process.env.TEST_FILES.split('\n'));
  return { filtered: paths.filter((path) => wanted.has(relative(process.cwd(), path))) };
};
