// Jest with Node's own modules and type stripping (tests/support/jest/node-runtime.js). One private MariaDB and Redis serve the whole run
// (tests/support/jest/global-setup.ts).

export default {
  testEnvironment: '<rootDir>/tests/support/jest/test-environment.ts',
  roots: ['<rootDir>/tests'],
  testMatch: ['**/*.test.ts'],
  runtime: '<rootDir>/tests/support/jest/node-runtime.js',
  transform: {},
  globalSetup: '<rootDir>/tests/support/jest/global-setup.ts',
  globalTeardown: '<rootDir>/tests/support/jest/global-teardown.ts',
  reporters: ['default', '<rootDir>/tests/support/jest/run-reporter.js'],
  runner: '<rootDir>/tests/support/jest/runner.js',
  // Not in the folder for temporary files, which each run has anew.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  testTimeout: 120_000,
  // One more than processors: short tests wait a third of their time. Not an argument of Jest's, which would take no other number beside it.
  maxWorkers: 3,
  // The main process plans the lanes for about a second while workers that have read the folder are told to end.
  workerGracefulExitTimeout: 10_000,
  modulePathIgnorePatterns: ['<rootDir>/.tidegate/'],
};
