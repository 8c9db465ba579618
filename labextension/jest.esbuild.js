/** Jest's transform: TypeScript and ES modules to CommonJS, with the source map inside. */
const { createHash } = require('crypto');
const path = require('path');
const esbuild = require('esbuild');

const loaders = { '.ts': 'ts', '.tsx': 'tsx' };

module.exports = {
  process(source, file) {
    return esbuild.transformSync(source, {
      loader: loaders[path.extname(file)] ?? 'js',
      format: 'cjs',
      target: 'node18',
      sourcemap: 'inline',
      sourcefile: file
    });
  },
  getCacheKey(source, file) {
    return createHash('sha256').update(`${esbuild.version}\0${file}\0${source}`).digest('hex');
  }
};
