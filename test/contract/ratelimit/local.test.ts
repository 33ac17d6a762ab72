import { openIsolate } from "../../unit/ratelimit/rig.ts";
import { limiterContract } from "./limiter.contract.ts";

limiterContract("the limiter in the isolate", (platform) => openIsolate({ platform, connection: null }));
