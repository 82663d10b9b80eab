// Node loads this before cdktf-cli, whose start is most of what a deploy with nothing to do costs. So:
// - Compiled sources are kept beside cdktf-cli. Only for this process: the CDK's Node, which it starts by way of the
//   app, runs from a new folder each time and would fill the cache. Without write permission nothing is kept.
// - The translator of HCL, with a TypeScript compiler, is loaded when `cdktf convert` or `init` uses it.
"use strict";
const Module = require("node:module");
const path = require("node:path");

const LATER = new Set(["@cdktf/hcl2cdk"]);
const load = Module._load;

Module.enableCompileCache?.(path.resolve(path.dirname(process.argv[1]), "../../../.compiled")); // since Node 22.8

Module._load = function (name, ...rest) {
  if (!LATER.has(name)) return load.call(this, name, ...rest);
  let real;
  const later = new Proxy({}, {
    get: (_, key) => key === "__esModule" || (real ??= load.call(this, name, ...rest))[key],
    getPrototypeOf: () => later, // cdktf-cli copies the names of its imports, and asks the prototype for others
  });
  return later;
};
