/** What browsers have, JupyterLab's modules touch when they load, and jsdom lacks. */
const { TextDecoder, TextEncoder } = require('util');

Object.assign(globalThis, {
  TextDecoder,
  TextEncoder,
  DragEvent: globalThis.DragEvent ?? class DragEvent extends MouseEvent {},
  ResizeObserver:
    globalThis.ResizeObserver ??
    class ResizeObserver {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  fetch: globalThis.fetch ?? (() => Promise.reject(new Error('No network in tests'))),
  Request: globalThis.Request ?? class Request {},
  Response: globalThis.Response ?? class Response {},
  Headers: globalThis.Headers ?? class Headers {},
  matchMedia: globalThis.matchMedia ?? (() => ({ matches: false, addEventListener() {} })),
  IS_REACT_ACT_ENVIRONMENT: true
});
