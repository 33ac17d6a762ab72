import { openIsolate } from "../../support/limits.ts";
import { limiterContract } from "./limiter.contract.ts";

limiterContract("the limiter in the isolate", (platform) => openIsolate({ platform, connection: null }));
