import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/build.ts',
    // Tests that pack, install or run the built program start several Node processes on two slow cores.
    testTimeout: 30_000,
  },
});
