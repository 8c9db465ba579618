/**
 * The real modules of JupyterLab and Lumino under jsdom. They are published as ES modules, so everything, ours and
 * theirs, goes through esbuild: a second or two where the ts-jest and Babel of @jupyterlab/testutils need many.
 */
module.exports = {
  testEnvironment: 'jsdom',
  roots: ['<rootDir>/src'],
  testMatch: ['**/__tests__/*.spec.{ts,tsx}'],
  moduleNameMapper: { '\\.(css|svg)$': '<rootDir>/jest.text.js' },
  transform: { '\\.(m?js|tsx?)$': '<rootDir>/jest.esbuild.js' },
  transformIgnorePatterns: [],
  setupFiles: ['<rootDir>/jest.setup.js'],
  setupFilesAfterEnv: ['<rootDir>/jest.strict.js'],
  restoreMocks: true
};
