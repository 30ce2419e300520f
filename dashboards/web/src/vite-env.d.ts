/// <reference types="vite/client" />
declare module "*.mjs?worker&url" {
  const url: string;
  export default url;
}
declare module "*?sharedworker&url" {
  const url: string;
  export default url;
}
