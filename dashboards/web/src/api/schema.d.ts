export interface paths {
    "/api/v1/aggregates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One metric over many devices, in steps */
        get: operations["get_aggregates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alarm-load": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The alarm load as ISA-18.2 counts it, with the rules and subjects that make the most of it
         * @description Silenced, shelved and inhibited alerts count, too: they stand in the list all the same.
         */
        get: operations["get_alarm_load"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alert-events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Push one step in the life of an alert; pushing it again changes nothing */
        post: operations["push_alert_event"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alert-log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Everything that happened to alerts, newest first unless sorted otherwise
         * @description The lines of an alert are deleted with it, 400 days after its end.
         */
        get: operations["list_alert_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Alerts, newest first unless another order is asked for
         * @description Alerts that ended more than 400 days ago are deleted.
         */
        get: operations["list_alerts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What fires, grouped by zone and cause, with the floods that go on
         * @description The members of a group share the smallest zone, and the gateway if something is wrong with it, or
         *     else the rule.
         */
        get: operations["list_alert_groups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One alert with its log */
        get: operations["get_alert"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take care of a firing alert: one that you were asked to, your department was, or nobody was */
        post: operations["accept_alert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}/acknowledge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say that you know of a firing alert */
        post: operations["acknowledge_alert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}/assign": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask somebody to take care of a firing alert
         * @description If they do not accept in time, that is noted and receivers outside are told (`overdue`). To take it
         *     from somebody who was asked or has accepted, `If-Match` must say that you know.
         */
        post: operations["assign_alert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Why an alert fired
         * @description Its rule, as it is now, is run over the stored readings before the alert fired.
         */
        get: operations["explain_alert"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}/hand-over": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask another department to take care of a firing alert */
        post: operations["hand_over_alert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}/notes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Write a note into an alert's log */
        post: operations["add_alert_note"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}/return": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give a firing alert back to whoever handed it over, or decline what you were asked */
        post: operations["return_alert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}/shelve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Put a firing alert aside for a while
         * @description It stays in the list with `shelved`. Outside receivers are not told what happens to it until it
         *     comes back, by itself or by `unshelve`; if it ends, those who know of it are told.
         */
        post: operations["shelve_alert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}/unshelve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take an alert back from its shelf */
        post: operations["unshelve_alert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit-log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The audit log, newest first unless sorted otherwise; or all of it as CSV or lines of JSON, oldest first
         * @description Administrators of departments see the entries about these; administrators of the city see all.
         *     Nothing is ever deleted from it. A page may have fewer entries than `limit`, or none, and yet
         *     have a `next_cursor`, when what is searched for is rare. An export in lines of JSON can be
         *     checked with `citybrain audit verify --export FILE`; in CSV, texts that a spreadsheet would take
         *     for formulas begin with an apostrophe.
         */
        get: operations["list_audit_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit-log/verification": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check that no entry was changed, removed, moved or cut off
         * @description It reads the whole log: a million entries take some seconds.
         */
        get: operations["verify_audit_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/base-map": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The layers of the base map
         * @description They are files of the city, which the configuration names; without any the list is empty.
         */
        get: operations["get_base_map"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/base-map/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The file of a layer of the base map
         * @description GeoJSON, or an archive of tiles in the format PMTiles 3, which is read by ranges (RFC 9110,
         *     section 14).
         */
        get: operations["get_base_map_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/base-map/{layer}/{z}/{x}/{y}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A tile of a layer of the base map */
        get: operations["get_base_map_tile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cap": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An Atom feed of what fires and what ended within a day, each with a link to its CAP message
         * @description Last changed first, at most 1,000. Entries of simulated data have the status `Exercise`. There is
         *     a feed where the configuration says in `[cap]` who speaks.
         */
        get: operations["get_cap_feed"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cap/{alert}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The newest CAP 1.2 message of an alert
         * @description An `Alert`, an `Update` or a `Cancel` that refers to the messages of all earlier events.
         */
        get: operations["get_cap_message"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/credentials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Clients by name, with their credentials, never with secrets */
        get: operations["list_clients"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/credentials/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One client with its credentials */
        get: operations["get_client"];
        /**
         * Add a client, or say all that it may do
         * @description To replace, `If-Match` must say which rights it replaces.
         */
        put: operations["put_client"];
        post?: never;
        /** Forget a client with all its credentials */
        delete: operations["delete_client"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/credentials/{id}/certificates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a client show a certificate; adds the client if it is not there */
        post: operations["bind_client_certificate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/credentials/{id}/enabled": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Let a client connect, or not; its rights and credentials stay as they are */
        put: operations["set_client_enabled"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/credentials/{id}/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Give a client a password, in place of the one before; adds the client if it is not there */
        put: operations["set_client_password"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/credentials/{id}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a token for a client, which is added if it is not there; it is shown this once */
        post: operations["issue_client_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/credentials/{id}/{number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Make one credential of a client worthless */
        delete: operations["revoke_credential"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/datasets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What departments make public */
        get: operations["list_datasets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/datasets/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One dataset */
        get: operations["get_dataset"];
        /** Say what is public of a department: it holds at once */
        put: operations["put_dataset"];
        post?: never;
        /** Forget a dataset: what it selected is not public any more, at once */
        delete: operations["delete_dataset"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Dead letters, newest first unless sorted otherwise */
        get: operations["list_dead_letters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/dead-letters/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One dead letter with its whole payload */
        get: operations["get_dead_letter"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/dead-letters/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Feed a dead letter through the pipeline again, after a fix */
        post: operations["replay_dead_letter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/departments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The departments, with how many devices they own */
        get: operations["list_departments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/departments/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One department as it is named */
        get: operations["get_department"];
        /**
         * Name a department, anew or for the first time
         * @description To replace, `If-Match` must say which name it replaces.
         */
        put: operations["put_department"];
        post?: never;
        /** Forget a department that owns no device */
        delete: operations["delete_department"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/device-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a token for each of many clients: all or none */
        post: operations["issue_client_tokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Devices, filtered and in order */
        get: operations["list_devices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All devices in the shape in which they can be imported */
        get: operations["export_devices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Add devices, or change those whose id is known: all or none
         * @description The list is JSON or, with `Content-Type: text/csv`, CSV with the columns id, name, name_zh,
         *     kind, department, lon, lat, position_crs, moving, interval, gateway, life_cycle, simulated, crs
         *     and attr.NAME for attributes. With `Accept: application/x-ndjson` the answer comes in lines
         *     while it is worked on: `{"done": 1000, "of": 100000}` and at the end `{"result": …}` or
         *     `{"problem": …}`.
         */
        post: operations["import_devices"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One device */
        get: operations["get_device"];
        /**
         * Register a device, or replace what is registered of it
         * @description To replace, `If-Match` must say which entry it replaces. A position is in the coordinate system
         *     that it names.
         */
        put: operations["put_device"];
        post?: never;
        /**
         * Take a device out that was registered by mistake and never sent anything
         * @description A device with a history is retired instead, so that its readings keep their name.
         */
        delete: operations["delete_device"];
        options?: never;
        head?: never;
        /**
         * Change some members of what is registered of a device; `null` takes one out (RFC 7396)
         * @description To take a device out of service, send `{"life_cycle": "retired"}`.
         */
        patch: operations["patch_device"];
        trace?: never;
    };
    "/api/v1/devices/{id}/commands": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a command to a device that is connected to the embedded endpoint, at QoS 1 */
        post: operations["send_command"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{id}/entry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is registered of a device: without what its kind gives it and without how it is now */
        get: operations["get_device_entry"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document as a page */
        get: operations["get_docs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/docs.css": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The page's style sheet */
        get: operations["get_docs_style"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ingest/{source}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Push a message from a device
         * @description The body is the message as the source's format has it. Credentials: a device's token
         *     (`Authorization: Bearer cbd_…`), its name and password (`Authorization: Basic …`), or an access
         *     token of an engineer. The answer comes when everything is durable. What cannot be decoded is
         *     kept as a dead letter all the same; sending it again would only make another. Readings that say
         *     when they were measured are stored once however often they come; to send others again safely,
         *     give the message an `Idempotency-Key`, and the same key each time.
         */
        post: operations["push_message"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/kinds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The kinds of devices, with how many there are */
        get: operations["list_kinds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/kinds/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One kind as a template */
        get: operations["get_kind"];
        /** Describe a kind: what holds for its devices where they say nothing themselves, from now on */
        put: operations["put_kind"];
        post?: never;
        /** Forget a kind that no device is of */
        delete: operations["delete_kind"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/last-values": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest value of each series, by device and metric */
        get: operations["list_last_values"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/late-readings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was decided about late readings
         * @description The last 10,000 decisions since the program started. Every reading is stored, however late; this
         *     says what alert rules made of it.
         */
        get: operations["list_late_readings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/login-methods": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How people can log in */
        get: operations["get_login_methods"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/loss": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was received and what became of it */
        get: operations["get_loss"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/map": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All devices on the map, in columns
         * @description At most a fifth of a second old. `ETag` with `If-None-Match` saves what has not changed.
         */
        get: operations["get_map"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/mappings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What names mean, by name and source
         * @description The ETag is that of all mappings, also of a part of them: for `If-Match` of a change of one.
         */
        get: operations["list_mappings"];
        /**
         * Say what a name means, from now on
         * @description It takes effect with the next message. Readings that were stored before keep the name that they
         *     came with.
         */
        put: operations["put_mapping"];
        post?: never;
        /** Forget what a name means */
        delete: operations["delete_mapping"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics, and for names that are not in the catalogue where they come from */
        get: operations["list_metric_uses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/metrics-catalogue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All metrics with their units and ranges */
        get: operations["list_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["get_openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/provisioning/unknown": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Devices that call and are not registered, those heard last first unless sorted otherwise */
        get: operations["list_unknown_devices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/provisioning/unknown/{id}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Register a device that calls, and replay what it had sent */
        post: operations["accept_unknown_device"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/provisioning/unknown/{id}/ignore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say that an unknown device is of no interest; its messages are still kept as dead letters */
        post: operations["ignore_unknown_device"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/readings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The history of one series, raw or in steps */
        get: operations["get_readings"];
        put?: never;
        post?: never;
        /**
         * Delete readings of devices for good, with their summaries
         * @description In two steps: a call without `expect` says how many there are, the same call with that number
         *     deletes them, if it still is that many. The ledger goes on counting them as stored.
         */
        delete: operations["delete_readings"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/readings/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Readings as a file, device by device and in order of time
         * @description As many as there are: what is in memory does not grow with it. `format` is CSV unless it or `Accept`
         *     says otherwise; `json` means `ndjson` here. A file that could not be finished ends without the end
         *     of the chunked body (RFC 9112, section 7.1), so that HTTP clients report an error.
         */
        get: operations["export_readings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/readings/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The history of several series, raw or in steps */
        get: operations["list_series_readings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/receivers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The receivers of alerts, and how delivery is doing
         * @description In the order of the configuration, after `brain`, which is this program itself.
         */
        get: operations["list_receivers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/receivers/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tell a receiver about a test alert
         * @description It is told that an alert began and that it ended, both marked as a test. Nothing is told to
         *     anybody else. Answers when the receiver has taken both, or has not.
         */
        post: operations["test_receiver"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/reports/ingest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was received on one day and what became of it */
        get: operations["get_ingest_report"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rule-groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All groups of rules, and where each lives */
        get: operations["list_rule_groups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rule-groups/{group}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One group with its text */
        get: operations["get_rule_group"];
        /**
         * Put a text in the place of a group's, or make the group
         * @description It is in force at once, together with all other groups, or nothing changes: ids are unique among
         *     all of them. Rules that decide the same keep their state and their alerts. A group that lives in
         *     files cannot be changed here; once its file is taken away, this puts it here without ending an
         *     alert.
         */
        put: operations["put_rule_group"];
        post?: never;
        /**
         * Delete a group that is kept here
         * @description Its alerts end, unless a file that brings the group lies ready: then the group lives there from
         *     now on, and rules that stay the same keep their state. Its history stays and can be restored.
         */
        delete: operations["delete_rule_group"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rule-groups/{group}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The history of a group that is kept here, or was, newest first
         * @description It is empty for a group that has always lived in files.
         */
        get: operations["list_rule_group_versions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rule-groups/{group}/history/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One version of a group with its text */
        get: operations["get_rule_group_version"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rule-groups/{group}/history/{version}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a group the text of one of its versions again
         * @description As putting that text does. A group that was deleted comes back.
         */
        post: operations["restore_rule_group_version"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All rules, in the order of their files */
        get: operations["list_rules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules/backtest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Try rules on stored history
         * @description The rules run over the readings of the range as they would live, and the answer says what would
         *     have fired, how much work that is, and how it compares. One runs at a time; it ends when the
         *     client goes away. With `Accept: application/x-ndjson` the answer comes in lines while it runs:
         *     `{"done": 3600, "of": 86400}` in seconds of the range, and at the end `{"result": …}` or
         *     `{"problem": …}`.
         */
        post: operations["backtest_rules"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check rule files
         * @description They are read, and checked against the metrics, zones and layers that there are.
         */
        post: operations["check_rules"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules/reload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Read the rule files again
         * @description All or nothing: if a file has a problem, the rules stay as they are. Rules that are the same keep
         *     their state; alerts of rules that decide differently or are gone end. Groups that are kept here
         *     and disabled are tried again.
         */
        post: operations["reload_rules"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run rule tests
         * @description Input series go through the evaluator under virtual time, and must raise exactly the alerts that
         *     are expected. Together the tests may have 200,000 readings and take 20 seconds.
         */
        post: operations["test_rules"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One rule */
        get: operations["get_rule"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules/{id}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Why a rule raised an alert about something at an instant, or why it did not
         * @description The rule runs over the stored readings before the instant as it would live, and the answer says
         *     what was decided about each, and why. Alerts, silences and late readings that really were stand
         *     beside it.
         */
        get: operations["explain_rule"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is logged in */
        get: operations["get_session"];
        put?: never;
        /**
         * Log in: exchange an access token, a user's name and password, or what the identity provider gave
         *     for a session cookie
         * @description The cookie is new at every login, and ends the session that the browser had. It is called
         *     `__Host-citybrain_session` over TLS and `citybrain_session` without.
         */
        post: operations["log_in"];
        /** Log out: end the session and remove the cookie */
        delete: operations["log_out"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/external": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Go to the identity provider to log in
         * @description The browser gets a cookie, and goes to `url`; from there it comes back to the login page with
         *     `state` and `code`, for `POST /session`, within ten minutes.
         */
        post: operations["leave_for_provider"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change the password of who is logged in
         * @description All sessions of the user end; the answer sets the cookie of a new one.
         */
        put: operations["change_password"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make the first administrator, who is logged in then
         * @description It takes the token that the server printed when it started, and works as long as nobody
         *     administers the whole city.
         */
        post: operations["set_up"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/silences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Silences, those that were made last first unless sorted otherwise
         * @description Those that ended more than 400 days ago are deleted.
         */
        get: operations["list_silences"];
        put?: never;
        /**
         * Keep outside receivers from being told of some alerts for a while
         * @description The alerts still fire and stand in the list, with `silenced_by`. What still fires when the silence
         *     ends is told then. Whoever was told of an alert before hears when it ends, also meanwhile.
         */
        post: operations["create_silence"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/silences/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One silence */
        get: operations["get_silence"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/silences/{id}/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a silence before its time */
        post: operations["end_silence"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Everything that changes, as server-sent events
         * @description Events are `hello`, `map`, `values`, `alert`, `system` and `resync`, each with an id that can
         *     be resumed from; a comment every ten seconds shows that the server is alive.
         */
        get: operations["follow_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/system": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What this instance is and how it is doing */
        get: operations["get_system"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Access tokens, newest first unless sorted otherwise: those with a grant in a department that you administer */
        get: operations["list_tokens"];
        put?: never;
        /**
         * Make an access token; it is shown this once
         * @description It grants no more than whoever makes it may give: roles in departments that they administer. What a
         *     user makes grants no more than the user has at any time, and ends with the user; what is made with a
         *     token ends with it at the latest.
         */
        post: operations["make_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Make an access token worthless, with the sessions that were opened with it */
        delete: operations["revoke_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/top": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The devices with the highest, lowest or most of a metric */
        get: operations["get_top"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/track": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where a moving device was, as GeoJSON */
        get: operations["get_track"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Users by id, unless sorted otherwise: those with a grant in a department that you administer */
        get: operations["list_users"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One user */
        get: operations["get_user"];
        /**
         * Add a user, or say anew what is written about one
         * @description To replace, `If-Match` must say which entry it replaces. Grants are given and taken by
         *     administrators of their departments; all else takes an administrator of every department in which
         *     the user has a grant. A user who may do something else afterwards, may not log in any more, or gets
         *     a password, is logged out everywhere.
         */
        put: operations["put_user"];
        post?: never;
        /** Forget a user, with sessions and access tokens */
        delete: operations["delete_user"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Log a user out everywhere */
        delete: operations["end_user_sessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/zones": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The zones with their borders, as GeoJSON */
        get: operations["list_zones"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/zones/reload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Read the zone files again
         * @description All or nothing: if a file cannot be read or a rule names a zone that would be gone, the zones
         *     stay as they are. Zones whose id stays keep their place in rules, alerts and streams.
         */
        post: operations["reload_zones"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/zones/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One zone in figures */
        get: operations["get_zone"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/open/v1": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is public, as JSON, or as the header `Accept` says as HTML page, JSON-LD or Turtle */
        get: operations["get_open_catalogue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/open/v1/catalog.jsonld": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The catalogue by DCAT-AP 3.0 in JSON-LD */
        get: operations["get_open_catalogue_json_ld"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/open/v1/catalog.ttl": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The catalogue by DCAT-AP 3.0 in Turtle */
        get: operations["get_open_catalogue_turtle"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/open/v1/datasets/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A public dataset: licence, provenance, coverage and where to get it; also as HTML page */
        get: operations["get_open_dataset"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/open/v1/datasets/{id}/readings.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Readings of a dataset as lines of cells, page by page: the header `Link` has the next one */
        get: operations["get_open_readings_csv"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/open/v1/datasets/{id}/readings.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Readings of a dataset, page by page */
        get: operations["get_open_readings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/open/v1/datasets/{id}/readings/{day}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All readings of a day by UTC as one file */
        get: operations["get_open_day"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/open/v1/datasets/{id}/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Devices or newest readings of a dataset as JSON, CSV or GeoJSON */
        get: operations["get_open_table"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/open/v1/open.css": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The style sheet of the pages */
        get: operations["get_open_style"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sta/v1.1": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What can be asked for, as OGC SensorThings API 1.1 says */
        get: operations["get_sensor_things"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sta/v1.1/{resource}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Entities of OGC SensorThings API 1.1: Things, Locations, Datastreams, Observations and the others
         * @description Addresses go on as the standard says, such as `/sta/v1.1/Things('air-1')/Datastreams`. Query
         *     options are `$filter`, `$expand`, `$select`, `$orderby`, `$top`, `$skip`, `$count` and for
         *     Observations `$resultFormat=dataArray`. Text is in Chinese where `Accept-Language` begins with it.
         */
        get: operations["get_sensor_things_resource"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Until when somebody means to be done. */
        AcceptAlert: {
            /** @description At most 2,000 characters. */
            note?: string | null;
            /**
             * Format: date-time
             * @description Until when it will be over or handed on, at most 30 days from now; open if missing.
             */
            until?: string | null;
        };
        /** @description How an unknown device is to be registered. */
        AcceptDevice: {
            /**
             * @description Its department; as the list of unknown devices says if missing.
             * @default null
             */
            department: string | null;
            /**
             * @description Its kind; as the list of unknown devices says if missing.
             * @default null
             */
            kind: string | null;
            /** @default null */
            name: components["schemas"]["GivenText"] | null;
            /**
             * @description `false`: leave its dead letters alone.
             * @default null
             */
            replay: boolean | null;
        };
        /** @description What became of an unknown device. */
        Accepted: {
            /** @description How many dead letters wait that are its own. */
            dead_letters: number;
            device: components["schemas"]["DeviceEntry"];
            /** @description How many of them were sent through the pipeline again, at most 1,000. */
            replayed: number;
        };
        /** @description An access token; never the secret. */
        AccessToken: {
            /** Format: date-time */
            created_at: string;
            /** @description Who made it; `null` if that was done on the server itself. */
            created_by: string | null;
            /** Format: date-time */
            expires_at: string | null;
            /** @description Which role where. */
            grants: components["schemas"]["Grant"][];
            id: string;
            /**
             * Format: date-time
             * @description When it was last used, to five minutes.
             */
            last_used_at: string | null;
            /** @description The address that it was used from then. */
            last_used_from: string | null;
            /** @description What it was made for. */
            note: string;
            /** @description Whether the program made it for itself, and cannot do without it; the next start makes another. */
            own: boolean;
            /** @description The user whose rights bound those of the token, and with whom it ends. */
            owner: string | null;
            /** Format: date-time */
            revoked_at: string | null;
            /** @description The name in logs of what is done with it. */
            user: string;
        };
        /** @description An access token just made: the only time that it can be seen. */
        AccessTokenMade: {
            id: string;
            /** @description For `Authorization: Bearer`. */
            token: string;
        };
        /** @description A page of access tokens. */
        AccessTokenPage: {
            items: components["schemas"]["AccessToken"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
            /** @description How many match in all. */
            total: number;
        };
        /** @description What somebody says with an acknowledgement. */
        Acknowledge: {
            /** @description At most 2,000 characters. */
            note?: string | null;
        };
        /** @description Who said that they know of an alert. */
        Acknowledgement: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description The user. */
            by: string;
            /** @description What they said about it. */
            note: string | null;
        };
        /** @description One metric over many devices. */
        Aggregates: {
            buckets: components["schemas"]["Buckets"];
            /** @description How many devices have values of this metric. */
            devices: number;
            /** Format: date-time */
            from: string;
            metric: string;
            /**
             * Format: int64
             * @description The width of the buckets in seconds.
             */
            step_s: number;
            /** @description The unit as people write it. */
            symbol: string;
            /** Format: date-time */
            to: string;
            /** @description UCUM code. */
            unit: string;
            /** @description The zone that was asked for; of several all, separated by commas. */
            zone: string | null;
        };
        /** @description The alarm load of a length of time. */
        AlarmLoad: {
            /** @description The ten pairs of rule and subject that raised the most. */
            bad_actors: components["schemas"]["BadActor"][];
            /** @description Of all alerts together, for all operators. */
            city: components["schemas"]["PositionLoad"];
            /** @description Of each department's alerts, for its operators. */
            departments: components["schemas"]["PositionLoad"][];
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
        };
        /** @description An alert with all that a receiver needs to show it without asking back. */
        Alert: {
            /**
             * Format: date-time
             * @description When it began to fire.
             */
            fired_at: string;
            /** @description The same for every event of this alert. */
            id: string;
            /** @description The kind of the device. */
            kind: string | null;
            /** @description Routing labels of the rule. */
            labels: {
                [key: string]: string;
            };
            /**
             * Format: double
             * @description The limit that it passed, in the same unit.
             */
            limit: number | null;
            /** @description The metric that decided. */
            metric: string | null;
            position: components["schemas"]["Position"] | null;
            /**
             * Format: date-time
             * @description The event time of the reading that decided.
             */
            reading_time: string | null;
            /**
             * Format: date-time
             * @description When it ended.
             */
            resolved_at: string | null;
            rule: components["schemas"]["RuleRef"];
            /** @description Where to read what to do. */
            runbook: string | null;
            severity: components["schemas"]["Severity"];
            /** @description Whether simulated or test data raised it. */
            simulated: boolean;
            /**
             * Format: date-time
             * @description Since when the condition holds.
             */
            started_at: string;
            subject: components["schemas"]["Subject"];
            /** @description What happened. */
            summary: components["schemas"]["LocalText"];
            /** @description Its unit as people write it. */
            unit: string | null;
            /**
             * Format: double
             * @description The value that decided, in that unit.
             */
            value: number | null;
            /** @description Ids of the zones that it lies in. */
            zones: string[];
        };
        /** @description How many alerts fire. */
        AlertCounts: {
            by_severity: components["schemas"]["BySeverity"];
            /** Format: int64 */
            firing: number;
            /**
             * Format: int64
             * @description Those of them that nobody has acknowledged.
             */
            unacknowledged: number;
        };
        /** @description An alert with its log. */
        AlertDetail: components["schemas"]["AlertItem"] & {
            /** @description What happened, oldest first. */
            log: components["schemas"]["AlertLogEntry"][];
        };
        /** @description One step in the life of an alert, as engines push it. */
        AlertEvent: {
            /** @description The alert after it happened. */
            alert: components["schemas"]["Alert"];
            /**
             * Format: date-time
             * @description When, by the clock of the evaluation.
             */
            at: string;
            /** @description The idempotency key: `<alert id>/<seq>`. */
            key: string;
            kind: components["schemas"]["AlertEventKind"];
            reason: components["schemas"]["EndReason"] | null;
            /**
             * Format: int32
             * @description Counts the events of this alert from 1.
             */
            seq: number;
        };
        /**
         * @description What happened to an alert.
         * @enum {string}
         */
        AlertEventKind: "fired" | "escalated" | "deescalated" | "resolved" | "overdue";
        /** @description A flood: more alerts than anybody can look at. */
        AlertFlood: {
            /**
             * Format: int64
             * @description How many alerts came in it.
             */
            alerts: number;
            /** Format: date-time */
            since: string;
        };
        /** @description Alerts that are in one zone and have one cause. */
        AlertGroup: {
            /** @description Ids of the 20 newest. */
            alerts: string[];
            /** @description `gateway` if something is wrong with the gateway through which they come, else `rule`. */
            cause: string;
            /** @description The id of the gateway or rule. */
            cause_id: string;
            /** @description What people call it. */
            cause_name: components["schemas"]["LocalText"];
            /** Format: int64 */
            firing: number;
            /** Format: date-time */
            first_fired_at: string;
            /** Format: date-time */
            last_fired_at: string;
            /** @description The worst of them. */
            severity: components["schemas"]["Severity"];
            /**
             * Format: int64
             * @description Those of them that nobody has acknowledged.
             */
            unacknowledged: number;
            /** @description The zone that they are about, or the smallest that they lie in. */
            zone: string | null;
            zone_name: components["schemas"]["LocalText"] | null;
        };
        /** @description What fires, by operator position, zone and cause. */
        AlertGroups: {
            /** @description Those positions at which something fires. */
            items: components["schemas"]["PositionGroups"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /** @description An alert with what the brain knows about it. */
        AlertItem: components["schemas"]["Alert"] & {
            acknowledged: components["schemas"]["Acknowledgement"] | null;
            device_name: components["schemas"]["LocalText"] | null;
            /**
             * Format: int32
             * @description How many events the engines pushed for it.
             */
            events: number;
            /** @description Who takes care of it. */
            handling: components["schemas"]["Handling"];
            /** @description Ids of the alerts that do so. */
            inhibited_by: string[];
            shelved: components["schemas"]["Shelf"] | null;
            /** @description Ids of the silences that keep outside receivers from being told of it, or did when it ended. */
            silenced_by: string[];
            state: components["schemas"]["AlertState"];
            /**
             * Format: date-time
             * @description When anything last happened to it.
             */
            updated_at: string;
            /** @description What people call its zones, in the order of `zones`. */
            zone_names: components["schemas"]["LocalText"][];
        };
        /** @description One line of an alert's log. */
        AlertLogEntry: {
            /** @description The id of the silence, alert or department that it speaks of, if it does. */
            about: string | null;
            /**
             * Format: date-time
             * @description When it happened.
             */
            at: string;
            /** @description `engine`, or the user. */
            by: string;
            kind: components["schemas"]["AlertLogKind"];
            /** @description What a person wrote. */
            note: string | null;
            reason: components["schemas"]["EndReason"] | null;
            /**
             * Format: int32
             * @description Its place in the log, from 1.
             */
            seq: number;
            severity: components["schemas"]["Severity"] | null;
            /**
             * Format: double
             * @description The value that decided.
             */
            value: number | null;
        };
        /** @description One line of the log of all alerts. */
        AlertLogItem: {
            /** @description The id of the silence, alert or department, or the person, that it speaks of. */
            about: string | null;
            /** @description The alert's id; `null` if it speaks of none. */
            alert: string | null;
            /**
             * Format: date-time
             * @description When it happened.
             */
            at: string;
            /** @description `engine`, `brain`, or the user. */
            by: string;
            /** @description The department that owns the rule. */
            department: string | null;
            /** @description The device that the alert is about, if it is about one. */
            device: string | null;
            kind: components["schemas"]["AlertLogKind"];
            /** @description What a person wrote. */
            note: string | null;
            reason: components["schemas"]["EndReason"] | null;
            /** @description The id of the alert's rule. */
            rule: string | null;
            severity: components["schemas"]["Severity"] | null;
            /**
             * Format: double
             * @description The value that decided.
             */
            value: number | null;
        };
        /**
         * @description What stands in an alert's log.
         * @enum {string}
         */
        AlertLogKind: "fired" | "escalated" | "deescalated" | "resolved" | "acknowledged" | "noted" | "silenced" | "unsilenced" | "inhibited" | "uninhibited" | "shelved" | "unshelved" | "silence_created" | "silence_ended" | "assigned" | "accepted" | "handed_over" | "returned" | "overdue" | "flood_began" | "flood_ended";
        /** @description A page of the log. */
        AlertLogPage: {
            items: components["schemas"]["AlertLogItem"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /**
         * @description Which alerts: every part that is given must match, a part matches if one of its values does. One
         *     value may stand without its list.
         */
        AlertMatch: {
            /** @description Departments that own their rules. */
            department?: string[];
            /** @description Ids of devices. */
            device?: string[];
            /** @description Labels of their rules, each with the values that match. */
            labels?: {
                [key: string]: string[];
            };
            /** @description Ids of rules. */
            rule?: string[];
            severity_at_least?: components["schemas"]["Severity"] | null;
            severity_at_most?: components["schemas"]["Severity"] | null;
            /** @description Subjects: `series:DEVICE/METRIC`, `device:DEVICE` or `zone:ZONE`. */
            subject?: string[];
            /** @description Ids of zones that they lie in or are about. */
            zone?: string[];
        };
        /** @description A page of alerts. */
        AlertPage: {
            /** @description Of all alerts that fire now, whatever was asked for. */
            counts: components["schemas"]["AlertCounts"];
            items: components["schemas"]["AlertItem"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /**
         * @description Whether an alert fires.
         * @enum {string}
         */
        AlertState: "firing" | "resolved";
        /** @description Who is asked. */
        AssignAlert: {
            /** @description At most 2,000 characters. */
            note?: string | null;
            /**
             * Format: date-time
             * @description Until when they must accept, at most 30 days from now.
             */
            until: string;
            /** @description The user who is asked. */
            who: string;
        };
        /** @description Somebody changed something, or tried to. */
        AuditEntry: {
            /** @description What was done: in the API, the operation's id. */
            action: string;
            /** @description The network address that it came from; `null` on the server itself. */
            address: string | null;
            /** @description What it is after. */
            after: Record<string, never> | null;
            /**
             * Format: date-time
             * @description When it was asked for.
             */
            at: string;
            /**
             * @description What it was before. Secrets read `(secret)`; of texts over 16 KiB the beginning, the length
             *     and the SHA-256 are kept.
             */
            before: Record<string, never> | null;
            /** @description The department that owns that; `null` if it is the whole city's, or is not known. */
            department: string | null;
            /** @description The SHA-256 over all of this. */
            hash: string;
            /**
             * Format: int64
             * @description Counts from 1 without gaps.
             */
            number: number;
            /**
             * @description `done`, the code of the problem that it was refused with, or `unknown` if the program ended
             *     before.
             */
            outcome: string;
            /** @description The hash of the entry before; zeros for the first. */
            previous: string;
            /**
             * Format: int32
             * @description The HTTP status of the answer.
             */
            status: number | null;
            /** @description To what, most often an id. */
            target: string | null;
            /**
             * Format: int64
             * @description How often; more than 1 for refusals of one minute that are counted together.
             */
            times: number;
            /** @description Who; `null` if nobody proved who they are. */
            user: string | null;
            /**
             * @description How that was proven: `session`, `token`, `cli` (an account of the server), `system` (nobody
             *     asked), `anonymous` (not at all).
             */
            via: string;
        };
        /** @description A page of the audit log. */
        AuditPage: {
            items: components["schemas"]["AuditEntry"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /** @description Whether the log is as it was written. */
        AuditVerification: {
            /**
             * @description How it is not: `missing`, `changed`, `moved`, `unchained`, `cut_off`, `replaced`, `no_head`
             *     (the file with the last number is gone) or `unguarded` (a trigger of the database is).
             */
            broken: string | null;
            /**
             * Format: int64
             * @description The number of the first entry that is not as it should be, if it is about one.
             */
            broken_at: number | null;
            /** @description The same in a sentence. */
            detail: string | null;
            /**
             * Format: int64
             * @description How many entries are as they were written, from the first one on.
             */
            entries: number;
            /**
             * Format: int64
             * @description The number of the first of them.
             */
            first: number | null;
            /**
             * @description The hash of the last of them: note it elsewhere to tell later that nothing before it was
             *     written anew.
             */
            hash: string | null;
            /** @description Whether nothing is wrong. */
            intact: boolean;
            /**
             * Format: int64
             * @description The number of the last of them.
             */
            last: number | null;
        };
        /** @description What would have happened. */
        Backtest: {
            /** @description The alerts that would have fired, in order of time; at most 10,000. */
            alerts: components["schemas"]["WouldBe"][];
            /** @description Where it may differ from what really would have happened. */
            caveats: components["schemas"]["LocalText"][];
            difference: components["schemas"]["Difference"] | null;
            /** Format: date-time */
            from: string;
            incidents: components["schemas"]["IncidentScore"] | null;
            load: components["schemas"]["BacktestLoad"];
            /** @description How many there were on each day of UTC. */
            per_day: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description How many readings were evaluated.
             */
            readings: number;
            /** @description How many series the rules select. */
            series: number;
            /** Format: date-time */
            to: string;
            /**
             * Format: date-time
             * @description From when on readings were looked at, so that the rules knew what came before.
             */
            warmed_up_from: string;
        };
        /** @description How much work alerts are, as ISA-18.2 counts it. */
        BacktestLoad: {
            /**
             * Format: int64
             * @description How many there are.
             */
            alerts: number;
            /**
             * Format: int64
             * @description Pairs of rule and subject with 3 or more within a minute.
             */
            chattering: number;
            /**
             * Format: int64
             * @description Over within a minute.
             */
            fleeting: number;
            /**
             * Format: double
             * @description Minutes in flood.
             */
            flood_minutes: number;
            /**
             * Format: int64
             * @description More than 10 in 10 minutes, until fewer than 5.
             */
            floods: number;
            /**
             * Format: double
             * @description The part of all hours with more than 30.
             */
            hours_over_30: number;
            /**
             * Format: double
             * @description The most of one operator within ten minutes.
             */
            peak_ten_minutes: number;
            /**
             * Format: double
             * @description Alerts a day and operator. Up to 144 is acceptable, up to 288 manageable.
             */
            per_operator_day: number;
            /** @description Each rule's part, the largest first. */
            rules: components["schemas"]["RuleLoad"][];
            /**
             * Format: int64
             * @description Standing for more than a day.
             */
            stale: number;
            /**
             * Format: double
             * @description The part of all ten minutes with more than 10.
             */
            ten_minutes_over_10: number;
        };
        /** @description A pair of rule and subject that raises many alerts. */
        BadActor: {
            /** Format: int64 */
            alerts: number;
            /** @description Whether it raised 3 alerts or more within a minute. */
            chattering: boolean;
            /**
             * Format: int64
             * @description How many were over within a minute.
             */
            fleeting: number;
            /** @description The rule's id. */
            rule: string;
            /**
             * Format: double
             * @description Its part of all; the ten together should be under 0.05.
             */
            share: number;
            /**
             * Format: int64
             * @description How many stood for more than a day.
             */
            stale: number;
            /** @description `series:DEVICE/METRIC`, `device:DEVICE` or `zone:ZONE`. */
            subject: string;
        };
        /** @description One layer of the base map. */
        BaseLayer: {
            /** @description Whose work it is. */
            attribution: components["schemas"]["LocalText"];
            /** @description Where tiles are drawn; GeoJSON is in WGS-84 always. */
            coordinates: components["schemas"]["TileCoordinates"];
            format: components["schemas"]["LayerFormat"];
            id: string;
            kind: components["schemas"]["LayerKind"];
            /**
             * Format: int32
             * @description Up to which zoom there are tiles, or it is shown.
             */
            max_zoom: number;
            /**
             * Format: int32
             * @description From which zoom on it is shown.
             */
            min_zoom: number;
            /** @description Where it is; `{z}`, `{x}` and `{y}` stand for those of a tile. */
            url: string;
        };
        /** @description What lies under the zones and the devices. */
        BaseMap: {
            /** @description Lowest first. */
            layers: components["schemas"]["BaseLayer"][];
            /**
             * Format: date-time
             * @description When the newest of their files was changed; `null` if there is none.
             */
            updated_at: string | null;
        };
        /** @description West, south, east, north in degrees. */
        Bounds: [
            number,
            number,
            number,
            number
        ];
        /** @description How it stands with an external broker. */
        BrokerStatus: {
            /** @description What is wrong, or why the last connection ended; `null` if nothing was ever wrong. */
            error: string | null;
            /** @description Its name in the configuration. */
            name: string;
            /** @description Whether we are connected and all subscriptions were granted. */
            ok: boolean;
        };
        /**
         * @description Steps in columns; those without readings are left out. Readings that failed or are missing
         *     count only in `flagged`; a step that holds nothing else has `null` for its statistics.
         */
        Buckets: {
            count: number[];
            /** @description How many readings are suspect, failed or missing. */
            flagged: number[];
            /** @description The newest value of each step. */
            last: (number | null)[];
            max: (number | null)[];
            mean: (number | null)[];
            min: (number | null)[];
            /** @description The first instants in milliseconds since 1970: multiples of the step. */
            start: number[];
            sum: (number | null)[];
        };
        /** @description A number for each severity. */
        BySeverity: {
            /** Format: int64 */
            critical: number;
            /** Format: int64 */
            high: number;
            /** Format: int64 */
            low: number;
            /** Format: int64 */
            medium: number;
        };
        /** @description A password in place of the present one. */
        ChangePassword: {
            current: string;
            /** @description At least 12 characters, and not what everybody would guess. */
            new: string;
        };
        /** @description A page whose items have only the members that `fields` names. */
        ChosenFields: {
            items: Record<string, never>[];
            next_cursor: string | null;
        };
        /** @description The city, as screens show it. */
        City: {
            /** @description West, south, east, north in degrees. */
            bounds: components["schemas"]["Bounds"];
            /** @description Its name. */
            name: components["schemas"]["LocalText"];
            /** @description Its IANA time zone, such as `America/Chicago`. */
            time_zone: string;
        };
        /** @description A device, or a program that speaks for devices, as a client of the city. */
        Client: {
            /** @description Whether it speaks for all devices. */
            any_device: boolean;
            /** Format: date-time */
            created_at: string;
            /** @description How it can prove who it is, oldest first. Secrets are not kept. */
            credentials: components["schemas"]["Credential"][];
            /** @description The devices that it speaks for; `null` for the one of its own name. */
            devices: string[] | null;
            /** @description Whether it may connect at all. */
            enabled: boolean;
            /** @description Its name: a device's id, or a name of its own. */
            name: string;
            /** @description The topic filters that it may publish to; if none, the topics that name its device. */
            publish: string[];
        };
        /** @description A page of clients. */
        ClientPage: {
            items: components["schemas"]["Client"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
            /** @description How many match in all. */
            total: number;
        };
        /**
         * @description How far a command has come.
         * @enum {string}
         */
        CommandDelivery: "sent" | "queued" | "nobody";
        /**
         * @description What becomes of a command while its device is not there.
         * @enum {string}
         */
        CommandKeep: "none" | "until_taken" | "last";
        /** @description Where a command went. */
        CommandSent: {
            /** @description How far it has come. */
            delivery: components["schemas"]["CommandDelivery"];
            /** @description Its topic. */
            topic: string;
        };
        /** @description A way to prove who one is. */
        Credential: {
            /** Format: date-time */
            created_at: string;
            /**
             * Format: int64
             * @description Its number, to revoke it.
             */
            id: number;
            /** @description Of a certificate, the common name or the fingerprint that it is known by. */
            identity: string | null;
            /**
             * Format: date-time
             * @description When it was last used, to the minute.
             */
            last_used_at: string | null;
            /** @description What it was made for. */
            note: string;
            /** @description `password`, `token` or `certificate`. */
            proof: string;
        };
        /**
         * @description A coordinate system.
         * @enum {string}
         */
        Crs: "WGS-84" | "GCJ-02" | "BD-09" | "CGCS2000";
        /** @description What a department makes public. Nothing is that no dataset which is enabled selects. */
        Dataset: {
            /** @description The attributes of devices that are told, by name. */
            attributes?: string[];
            /** @description Whom to ask about it: an e-mail address, or one that begins with https. */
            contact?: string | null;
            /** @description The department that owns it; only its own devices can be in it. */
            department: string;
            /** @description What it is about, for people who do not know the city. */
            description: components["schemas"]["LocalText"];
            /** @description Whether it is public now. */
            enabled: boolean;
            /**
             * Format: int32
             * @description For how many days back readings are told, at most 3,653; 0: only the newest of each series.
             */
            history_days: number;
            /** @description Its id, which is a part of its address: 1 to 64 of a-z, 0-9 and `-`. */
            id: string;
            /** @description Under what it may be used: the SPDX id of a licence for data, or an address. */
            licence: string;
            /** @description Whether devices are called by their names, and not only by their ids. */
            names?: boolean;
            /** @description How exactly places are told. */
            positions: components["schemas"]["DatasetPositions"];
            publisher?: components["schemas"]["LocalText"] | null;
            /** @description Which of the department's devices and what of them. */
            select: components["schemas"]["DatasetSelect"];
            /** @description What it is about in codes of the European "data theme" table, such as `ENVI`. */
            themes?: string[];
            /** @description What people call it. */
            title: components["schemas"]["LocalText"];
        };
        /** @description All datasets that you may look after. */
        DatasetList: {
            items: components["schemas"]["Dataset"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /**
         * @description How exactly places are told.
         * @enum {string}
         */
        DatasetPositions: "exact" | "zone";
        /** @description Which devices of the department, and which of their metrics. */
        DatasetSelect: {
            /** @description Only devices of these kinds; at least one, so that a new kind is not public by accident. */
            kinds: string[];
            /** @description Only these metrics; at least one, so that a new metric is not public by accident. */
            metrics: string[];
            /**
             * @description Only devices that stand in one of these zones; none: wherever they are. Moving devices are in
             *     no dataset that names zones, because their history would tell where else they were.
             */
            zones?: string[];
        };
        /** @description A message that could not become readings, or not all of it. */
        DeadLetter: {
            /**
             * Format: date-time
             * @description When it reached us.
             */
            at: string;
            /** @description What is wrong and where. */
            detail: string;
            /** @description The device, if that much could be read. */
            device: string | null;
            /** @description How to mend it. */
            hint: string;
            id: string;
            /** @description The payload; in lists its first 4 KiB. Passwords of HJ 212 (`PW=…`) are asterisks. */
            payload_base64: string;
            /**
             * @description The payload if it is text; in lists its first 4 KiB. Passwords of HJ 212 (`PW=…`) are
             *     asterisks.
             */
            payload_text: string | null;
            /** @description Why, as a stable code. */
            reason: string;
            /**
             * Format: date-time
             * @description When it was replayed.
             */
            replayed_at: string | null;
            /** @description The size of the payload in bytes. */
            size: number;
            /** @description The id of the source. */
            source: string;
            topic: string;
        };
        /** @description A page of dead letters. */
        DeadLetterPage: {
            items: components["schemas"]["DeadLetter"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /**
         * @description What was decided about a late reading.
         * @enum {string}
         */
        Decision: "backfill" | "out_of_order" | "inserted";
        /** @description A position exactly as somebody declared it. */
        DeclaredPosition: {
            crs: components["schemas"]["Crs"];
            /**
             * Format: double
             * @description Degrees north in `crs`.
             */
            lat: number;
            /**
             * Format: double
             * @description Degrees east in `crs`.
             */
            lon: number;
        };
        /** @description What was deleted, or would be. */
        DeletedReadings: {
            /** @description Whether they are gone. */
            deleted: boolean;
            /**
             * Format: int64
             * @description How many readings.
             */
            readings: number;
        };
        /** @description A group that was kept here and is deleted; its history can be restored. */
        DeletedRuleGroup: {
            /** Format: date-time */
            at: string;
            by: string;
            group: string;
            /**
             * Format: int64
             * @description The number of the deletion in its history.
             */
            version: number;
            why: string;
        };
        /** @description An owner of devices and rules. */
        Department: {
            /** @description Whether the configuration names it, so that it can be changed there only. */
            configured: boolean;
            /**
             * Format: int64
             * @description How many devices it owns.
             */
            devices: number;
            id: string;
            name: components["schemas"]["LocalText"];
        };
        /** @description A department as it is named. */
        DepartmentEntry: {
            id: string;
            name: components["schemas"]["LocalText"];
        };
        /** @description All departments. */
        DepartmentList: {
            /** @description By id. */
            items: components["schemas"]["Department"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /** @description What people call a department. */
        DepartmentName: {
            /** @description As one text for both languages or one for each. */
            name: components["schemas"]["LocalText"];
        };
        /** @description A thing in the field. */
        Device: {
            attributes: {
                [key: string]: components["schemas"]["ReadingValue"];
            };
            counters: components["schemas"]["DeviceCounters"];
            declared: components["schemas"]["DeclaredPosition"] | null;
            department: string;
            /** @description The device through which it sends. */
            gateway: string | null;
            id: string;
            /**
             * @description Which of all this it has from its kind, because its entry says nothing of it: `interval`,
             *     `moving`, `crs`, `attributes.NAME`.
             */
            inherited: string[];
            /**
             * Format: double
             * @description How often it is expected to send, in seconds.
             */
            interval_s: number | null;
            kind: string;
            /**
             * Format: date-time
             * @description When it was last heard.
             */
            last_seen_at: string | null;
            life_cycle: components["schemas"]["LifeCycle"];
            /** @description Whether its messages carry its position. */
            moving: boolean;
            name: components["schemas"]["LocalText"];
            /**
             * Format: date-time
             * @description The event time of its newest reading, not counting times too far in the future to be trusted.
             */
            newest_reading_at: string | null;
            position: components["schemas"]["LonLat"] | null;
            severity: components["schemas"]["Severity"] | null;
            /** @description Whether everything it sends is simulated or test data. */
            simulated: boolean;
            status: components["schemas"]["DeviceStatus"];
            /** @description Ids of the zones that it is in. */
            zones: string[];
        };
        /** @description What was counted of a device's readings since the store began. */
        DeviceCounters: {
            /** Format: int64 */
            dead_lettered: number;
            /** Format: int64 */
            duplicate: number;
            /** Format: int64 */
            received: number;
            /** Format: int64 */
            stored: number;
        };
        /** @description A device as imported and exported. */
        DeviceEntry: {
            /** @description Further attributes, beside those that its kind gives. */
            attributes?: {
                [key: string]: components["schemas"]["ReadingValue"];
            };
            /** @description The coordinate system of positions in its messages; as its kind says if missing. */
            crs?: components["schemas"]["Crs"];
            /** @description The department that owns it. */
            department: string;
            /** @description The device through which it sends. */
            gateway?: string;
            /** @description Its id: 1 to 128 bytes without control characters. */
            id: string;
            /** @description How often it is expected to send, such as `30s` or `5m`; as its kind says if missing. */
            interval?: string;
            /** @description Its kind. */
            kind: string;
            life_cycle?: components["schemas"]["LifeCycle"];
            /** @description Whether it moves and its messages carry its position; as its kind says if missing. */
            moving?: boolean;
            /** @description What people call it, as one text for both languages or one for each; the id if missing. */
            name?: components["schemas"]["LocalText"];
            /** @description Where it stands, in the coordinate system that it names. */
            position?: components["schemas"]["DeclaredPosition"];
            /** @description Whether everything it sends is simulated or test data. */
            simulated?: boolean;
        };
        /** @description A page of devices. */
        DevicePage: {
            items: components["schemas"]["Device"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
            /** @description How many devices match in all. */
            total: number;
        };
        /**
         * @description Whether a device is heard from, best first.
         * @enum {string}
         */
        DeviceStatus: "online" | "late" | "offline" | "never_seen";
        /** @description Alerts of the same rule and subject that overlap in time are the same. */
        Difference: {
            /**
             * Format: int64
             * @description How many both have.
             */
            both: number;
            /** @description Those that would be gained; at most 1,000. */
            gained: components["schemas"]["WouldBe"][];
            /** @description Those that would be lost; at most 1,000. */
            lost: components["schemas"]["WouldBe"][];
            /**
             * Format: int64
             * @description How many only the tried rules have.
             */
            only_here: number;
            /**
             * Format: int64
             * @description How many only the rules in force have.
             */
            only_there: number;
        };
        /** @description A text in English, in Chinese, or in both. */
        EachText: {
            /** @description English. */
            en?: string;
            /** @description Simplified Chinese. */
            zh?: string;
        };
        /** @description Whether a client may connect. */
        Enabled: {
            /** @description `false`: it may not connect, and nobody else may pass for it. */
            enabled: boolean;
        };
        /**
         * @description Why an alert ended, if no reading cleared it.
         * @enum {string}
         */
        EndReason: "rule_removed" | "rule_changed" | "not_selected" | "not_watched" | "no_limit" | "off_schedule" | "zone_gone" | "state_lost";
        /** @description What somebody says when they end a silence. */
        EndSilence: {
            /** @description At most 2,000 characters. */
            reason?: string | null;
        };
        /** @description An alert that ends without a reading that clears it. */
        EndedAlert: {
            /** @description The alert's id. */
            alert: string;
            /** @description Why it ends. */
            reason: components["schemas"]["LocalText"];
            /** @description The id of its rule. */
            rule: string;
            /** @description What it is about. */
            subject: string;
        };
        /** @description Who ended a silence early. */
        EndedEarly: {
            /** Format: date-time */
            at: string;
            by: string;
            reason: string | null;
        };
        /** @description What a rule expected of a reading, in the unit of its metric. */
        ExplainedExpectation: {
            /**
             * Format: double
             * @description How far off the reading is, in usual errors; negative below what was expected.
             */
            deviation: number;
            /** Format: double */
            high: number;
            /**
             * Format: double
             * @description From here to `high` a single reading is usual.
             */
            low: number;
            /** Format: double */
            value: number;
        };
        /** @description A part of a rule that does not match. */
        ExplainedMismatch: {
            /**
             * @description `life_cycle`, `kind`, `department`, `device`, `attribute`, `metric`, `zone`, `layer`,
             *     `interval`, `limits` or `rule`.
             */
            part: string;
            text: components["schemas"]["LocalText"];
        };
        /** @description A reading that decided. */
        ExplainedReading: {
            /** @description The device; `null` if the registry no longer knows it. */
            device: string | null;
            metric: string | null;
            quality: components["schemas"]["Quality"];
            /** Format: date-time */
            time: string;
            value: components["schemas"]["ReadingValue"];
        };
        /** @description A silence that held an alert back. */
        ExplainedSilence: {
            /** Format: date-time */
            ends_at: string;
            id: string;
            /** @description Who made it. */
            owner: string;
            reason: string;
        };
        /** @description A decision. */
        ExplainedStep: {
            /** Format: date-time */
            at: string;
            /** @description Its name, such as `judged`, `untrusted`, `pending` or `fired`. */
            decision: string;
            expected: components["schemas"]["ExplainedExpectation"] | null;
            /**
             * Format: double
             * @description The limit with which it was compared.
             */
            limit: number | null;
            reading: components["schemas"]["ExplainedReading"] | null;
            /** @description In words. */
            text: components["schemas"]["LocalText"];
            /**
             * Format: double
             * @description The value that was judged.
             */
            value: number | null;
        };
        /**
         * @description How it stood.
         * @enum {string}
         */
        ExplainedVerdict: "firing" | "pending" | "held_back" | "clear" | "unknown" | "not_selected";
        /** @description The first administrator. */
        FirstAdmin: {
            /** @description What people call them. */
            name: string;
            /** @description At least 12 characters, and not what everybody would guess. */
            password: string;
            /** @description The token of the set-up link that the server printed when it started. */
            token: string;
            /** @description What they log in with: small letters, digits and `.-_@+`. */
            user: string;
        };
        /** @description A text for both languages, or one for each; one that is missing is the other's. */
        GivenText: string | components["schemas"]["EachText"];
        /** @description A role in a department, or in the whole city. */
        Grant: {
            /** @description The department's id, or `*` for the whole city. */
            department: string;
            /** @description The role there. */
            role: components["schemas"]["Role"];
        };
        /** @description Which department is asked. */
        HandOverAlert: {
            department: string;
            /** @description At most 2,000 characters. */
            note?: string | null;
            /**
             * Format: date-time
             * @description Until when somebody there must accept, at most 30 days from now.
             */
            until: string;
        };
        /** @description Who takes care of an alert. */
        Handling: {
            /** @description The department that was asked. */
            department: string | null;
            /** @description To whom it goes when it is returned. */
            from: string | null;
            /** @description The department that has it: the last one that accepted it; `null` for that of the rule. */
            holder: string | null;
            /** @description Whether they have not. */
            overdue: boolean;
            /**
             * Format: int32
             * @description How many deadlines were missed in all.
             */
            overdue_count: number;
            stage: components["schemas"]["HandlingStage"];
            /**
             * Format: int32
             * @description How many times it was handed over.
             */
            step: number;
            /**
             * Format: date-time
             * @description Until when they must accept it, or be done with it.
             */
            until: string | null;
            /** @description Who was asked or has accepted it. */
            who: string | null;
        };
        /**
         * @description How far an alert is on its way through hands.
         * @enum {string}
         */
        HandlingStage: "unassigned" | "assigned" | "accepted" | "handed_over";
        /** @description The data of `hello`, the first event of every connection. */
        HelloEvent: {
            /** @description The position that the following events follow. */
            cursor: string;
            /**
             * Format: int64
             * @description Seconds between heartbeats, which are comments.
             */
            heartbeat_s: number;
            /**
             * Format: date-time
             * @description The server's clock.
             */
            now: string;
        };
        /** @description An identity provider. */
        IdentityProvider: {
            /** @description What people call it. */
            name: components["schemas"]["LocalText"];
        };
        /** @description Whether a device is of interest. */
        Ignore: {
            /**
             * @description `false`: it is of interest after all.
             * @default null
             */
            ignored: boolean | null;
        };
        /** @description What is wrong with one field. */
        ImportProblem: {
            /** @description Its id as given. */
            device: string;
            /** @description The field or column, if it is one. */
            field: string | null;
            /** @description How to mend it. */
            hint: string;
            /**
             * Format: int64
             * @description The line of the file where it begins, if the list came as lines.
             */
            line: number | null;
            /** @description What is wrong. */
            message: string;
            /** @description The device's place in the list, from 1. */
            row: number;
        };
        /** @description What an import did. */
        Imported: {
            /** @description Devices that were not there before. */
            added: number;
            /** @description Devices that are different now. */
            changed: number;
            /** @description What is wrong with the devices that were left out. */
            problems: components["schemas"]["ImportProblem"][];
            /** @description Devices that were there already, exactly so. */
            unchanged: number;
        };
        /** @description What became of an incident. */
        IncidentFound: {
            /**
             * Format: date-time
             * @description When the first alert for it fired.
             */
            fired_at: string | null;
            /** Format: date-time */
            from: string;
            name: string;
        };
        /** @description How well alerts agree with incidents. */
        IncidentScore: {
            /**
             * Format: double
             * @description From the beginning of an incident to its first alert, in seconds: the median.
             */
            delay_s: number | null;
            /**
             * Format: int64
             * @description How many alerts belong to none.
             */
            false_alarms: number;
            /** @description Each one, in order of time. */
            incidents: components["schemas"]["IncidentFound"][];
            /**
             * Format: double
             * @description The part of the alerts that belong to an incident.
             */
            precision: number | null;
            /**
             * Format: double
             * @description The part of the incidents that were seen.
             */
            recall: number | null;
        };
        /** @description The books of one day. */
        IngestReport: {
            /** @description The days that there are books of, newest first. */
            available: string[];
            /**
             * @description Whether everything adds up: each item, and the sum over sources against the sum over
             *     devices, which are counted apart.
             */
            balanced: boolean;
            /** @description Whether the day is over. */
            closed: boolean;
            /**
             * Format: date-time
             * @description When counting for this day began, a few seconds after midnight or at the first start.
             */
            counted_from: string;
            /**
             * Format: date-time
             * @description When it ended; the time of this report if the day is not over.
             */
            counted_to: string;
            /**
             * Format: date
             * @description The day in the city's calendar.
             */
            date: string;
            /** @description The dead letters that were received that day and are still kept, by source and reason. */
            dead_letters: components["schemas"]["ReportLetters"][];
            /** @description By id. */
            items: components["schemas"]["ReportItem"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
            silent_devices: components["schemas"]["SilentDevices"];
            total: components["schemas"]["ReportCounters"];
        };
        /** @description A kind of device. */
        Kind: {
            /** @description Whether the configuration describes it, so that it can be changed there only. */
            configured: boolean;
            /**
             * Format: int64
             * @description How many devices are of this kind.
             */
            devices: number;
            id: string;
            name: components["schemas"]["LocalText"];
            /** @description What its devices have in common. */
            template: components["schemas"]["KindEntry"];
        };
        /** @description A kind of device as a template: what holds where a device's own entry is silent. */
        KindEntry: {
            /** @description Attributes that devices have unless they give their own of that name. */
            attributes?: {
                [key: string]: components["schemas"]["ReadingValue"];
            };
            /** @description The codec that turns the bytes of their frames into values, by name. */
            codec?: string;
            /** @description What the codec is told beside the bytes, by name. */
            codec_variables?: Record<string, never>;
            /** @description The coordinate system of positions in their messages. */
            crs?: components["schemas"]["Crs"];
            /** @description Its id, such as `air_station`; the one in the address if missing. */
            id?: string;
            /** @description How often its devices are expected to send, such as `30s` or `5m`. */
            interval?: string;
            /** @description The metrics that such a device is expected to send, by id. */
            metrics?: string[];
            /** @description Whether its devices move and their messages carry their position. */
            moving?: boolean;
            /** @description What people call it, as one text for both languages or one for each. */
            name: components["schemas"]["LocalText"];
        };
        /** @description All kinds. */
        KindList: {
            /** @description By id. */
            items: components["schemas"]["Kind"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /** @description An incident that is known to have happened. */
        KnownIncident: {
            /** Format: date-time */
            from: string;
            /** @description What it was. */
            name: string | null;
            /** @description The device or zone at which it was; any if it is not given. */
            place: string | null;
            /** @description The rule that should have seen it; any if it is not given. */
            rule: string | null;
            /** Format: date-time */
            to: string;
        };
        /** @description The newest reading of a series by event time. */
        LastValue: {
            /**
             * Format: double
             * @description Seconds since the event time.
             */
            age_s: number;
            device: string;
            /** @description What is special: `retained`, `future`, `untimed`, `bad_position`, `derived`. */
            marks: string[];
            /**
             * Format: double
             * @description From this age on the value is stale, in seconds: three intervals of the device, three
             *     hours for what is derived.
             */
            max_age_s: number;
            metric: string;
            position: components["schemas"]["LonLat"] | null;
            quality: components["schemas"]["Quality"];
            /**
             * Format: date-time
             * @description When it reached us.
             */
            received: string;
            simulated: boolean;
            /** @description Whether it is too old to stand for the present, or of unknown age. */
            stale: boolean;
            /**
             * Format: date-time
             * @description Event time.
             */
            time: string;
            value: components["schemas"]["ReadingValue"];
        };
        /** @description A page of last values. */
        LastValuePage: {
            items: components["schemas"]["LastValue"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /** @description A late reading and what was decided. */
        LateDecided: {
            decision: components["schemas"]["Decision"];
            /** @description The device; `null` if the registry no longer knows it. */
            device: string | null;
            /** @description The metric. */
            metric: string | null;
            /**
             * Format: date-time
             * @description For `out_of_order`: the time of the newer reading.
             */
            newest: string | null;
            /**
             * Format: date-time
             * @description When it reached us.
             */
            received: string;
            /** @description For `backfill`: the first rule for which it was too late. */
            rule: string | null;
            /**
             * Format: int32
             * @description For `backfill` and `inserted`: how many rules that were.
             */
            rules: number | null;
            /**
             * Format: date-time
             * @description When it was measured.
             */
            time: string;
        };
        /** @description The last late readings. */
        LateReadings: {
            /** @description Newest first, unless sorted otherwise. */
            items: components["schemas"]["LateDecided"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /**
         * @description How a layer is written.
         * @enum {string}
         */
        LayerFormat: "geojson" | "pmtiles" | "tiles";
        /**
         * @description What a layer shows.
         * @enum {string}
         */
        LayerKind: "water" | "green" | "road" | "rail" | "building" | "boundary" | "label" | "raster" | "vector";
        /** @description Where somebody logs in who comes back then. */
        Leave: {
            /** @description The page of the identity provider. */
            url: string;
        };
        /**
         * @description A stage in a device's life.
         * @enum {string}
         */
        LifeCycle: "planned" | "active" | "maintenance" | "retired";
        /** @description The same text in English and Chinese. */
        LocalText: {
            /** @description English. */
            en: string;
            /** @description Simplified Chinese. */
            zh: string;
        };
        /**
         * @description What a login shows: `token` alone, or `user` and `password`, or `state` and `code` of an identity
         *     provider.
         */
        Login: {
            /** @description The same. */
            code?: string | null;
            /** @description The same: `iss`, if the provider sends it (RFC 9207). */
            issuer?: string | null;
            password?: string | null;
            /**
             * @description What the browser came back with from the identity provider, which `POST /session/external`
             *     sent it to.
             */
            state?: string | null;
            /** @description An access token, as the server printed it or an administrator gave it. */
            token?: string | null;
            /** @description The user's id. */
            user?: string | null;
        };
        /** @description How people can log in. */
        LoginMethods: {
            oidc: components["schemas"]["IdentityProvider"] | null;
            /** @description With a user's name and password; a token always does. */
            password: boolean;
            /** @description Whether the first administrator is still to be made, with `POST /setup`. */
            setup_needed: boolean;
        };
        /** @description Longitude and latitude in degrees, WGS-84. */
        LonLat: [
            number,
            number
        ];
        /** @description What was received and what became of it. */
        Loss: {
            /**
             * @description Whether everything adds up: each item, and the sum over sources against the sum over
             *     devices, which are counted apart.
             */
            balanced: boolean;
            /** @description By id. */
            items: components["schemas"]["LossItem"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
            total: components["schemas"]["LossCounters"];
        };
        /**
         * @description What was counted since the store began. `received = stored + duplicate + dead_lettered +
         *     in_flight`.
         */
        LossCounters: {
            /** Format: int64 */
            dead_lettered: number;
            /** Format: int64 */
            duplicate: number;
            /**
             * Format: int64
             * @description Taken and not yet durable. Known for the whole only, because nobody has looked inside
             *     these messages yet; 0 in the items.
             */
            in_flight: number;
            /**
             * Format: int64
             * @description Messages that never came: numbers that devices skipped. No part of the sum.
             */
            missed: number;
            /** Format: int64 */
            received: number;
            /** Format: int64 */
            stored: number;
        };
        /** @description One source, department or device. */
        LossItem: {
            /** Format: int64 */
            dead_lettered: number;
            /** Format: int64 */
            duplicate: number;
            /** @description Its id; `(unknown)` for messages that name no registered device. */
            id: string;
            /** Format: int64 */
            in_flight: number;
            /**
             * Format: int64
             * @description Messages that never came: numbers that devices skipped. No part of the sum.
             */
            missed: number;
            /** Format: int64 */
            received: number;
            /** Format: int64 */
            stored: number;
        };
        /** @description A credential just made. */
        Made: {
            /**
             * Format: int64
             * @description Its number, to revoke it.
             */
            id: number;
        };
        /** @description A device on the map that changed: only what changed is there. */
        MapChange: {
            /** @description The device. */
            id: string;
            /** @description The kind of a device that is new on the map. */
            kind?: string;
            /**
             * Format: double
             * @description The new latitude.
             */
            lat?: number;
            /**
             * Format: double
             * @description The new longitude.
             */
            lon?: number;
            /**
             * Format: int32
             * @description Whether a new device moves, 0 or 1.
             */
            moving?: number;
            /**
             * Format: int32
             * @description The new severity, as in `MapSnapshot`.
             */
            severity?: number;
            /**
             * Format: int32
             * @description The new status, as in `MapSnapshot`.
             */
            status?: number;
        };
        /** @description One entry per device, as columns. */
        MapColumns: {
            id: string[];
            /** @description An index into `kinds`. */
            kind: number[];
            /** @description Degrees north; `null` if the position is not known. */
            lat: (number | null)[];
            /** @description Degrees east; `null` if the position is not known. */
            lon: (number | null)[];
            /** @description 1 if its messages carry its position. */
            moving: number[];
            /** @description The worst firing alert: 0 none, 1 low, 2 medium, 3 high, 4 critical. */
            severity: number[];
            /** @description 0 online, 1 late, 2 offline, 3 never seen. */
            status: number[];
        };
        /** @description The data of `map`: devices that changed, at most five times a second. */
        MapEvent: {
            /** Format: date-time */
            at: string;
            devices: components["schemas"]["MapChange"][];
        };
        /** @description All devices that are not retired, as the map shows them. */
        MapSnapshot: {
            /** Format: date-time */
            at: string;
            /** @description Pass it as `after` to `/stream`: changes follow exactly from here. */
            cursor: string;
            devices: components["schemas"]["MapColumns"];
            /** @description The ids of the kinds, by index. */
            kinds: string[];
        };
        /** @description What a name that devices send means. */
        Mapping: {
            /** @description The metric of the catalogue that it means. */
            metric: string;
            /** @description The name as it is sent. */
            name: string;
            /**
             * Format: double
             * @description What the number is to be multiplied with first, such as 0.1 for tenths.
             */
            scale?: number;
            /** @description The source that uses the name; every source if missing. One for the source goes first. */
            source?: string;
            /** @description The unit in which it is sent, whatever the message says; as the message says if missing. */
            unit?: string;
        };
        /** @description All mappings. */
        MappingList: {
            items: components["schemas"]["Mapping"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /** @description A named quantity. */
        Metric: {
            /**
             * Format: int32
             * @description How many decimals people want to see.
             */
            decimals: number;
            id: string;
            name: components["schemas"]["LocalText"];
            range: components["schemas"]["Range"] | null;
            /** @description The unit as people write it. */
            symbol: string;
            /** @description UCUM code of its unit; `1` for counts and ratios, empty if unknown. */
            unit: string;
            /** @description Whether it came with an unknown name and waits to be mapped. */
            unmapped: boolean;
        };
        /** @description The catalogue. */
        MetricList: {
            /** @description In the order in which they came to be known. */
            items: components["schemas"]["Metric"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /** @description A metric, and where it comes from as long as nobody has mapped it. */
        MetricUse: {
            id: string;
            name: components["schemas"]["LocalText"];
            range: components["schemas"]["Range"] | null;
            /** @description The sources that use the name and for which it is not mapped. */
            seen: components["schemas"]["SeenFrom"][];
            /** @description The unit as people write it. */
            symbol: string;
            /** @description UCUM code of its unit; empty if unknown. */
            unit: string;
            /** @description Whether it came with a name that is not in the catalogue. */
            unmapped: boolean;
        };
        /** @description Metrics. */
        MetricUseList: {
            /** @description In the order in which they came to be known. */
            items: components["schemas"]["MetricUse"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /**
         * @description Demonstration or the real thing.
         * @enum {string}
         */
        Mode: "demo" | "live";
        /** @description A value that came close to a limit. */
        NearestMiss: {
            /** Format: date-time */
            at: string;
            /** Format: double */
            limit: number;
            /** Format: double */
            value: number;
        };
        /** @description What an access token is to be for. */
        NewAccessToken: {
            /**
             * Format: date-time
             * @description When it ends by itself; if missing, when it is revoked.
             */
            expires_at?: string | null;
            /** @description Which role where: at most one for each department, `*` for the whole city. */
            grants: components["schemas"]["Grant"][];
            /** @description What it is for, 1 to 200 characters. */
            note: string;
        };
        /** @description What to try. */
        NewBacktest: {
            /** @description Whether to compare with what rules of the same ids do that are in force. */
            compare?: boolean;
            /** @description The rules; those in force if there are no files. */
            files?: components["schemas"]["RuleFile"][];
            /**
             * Format: date-time
             * @description The first instant, RFC 3339; a week before `to` unless given.
             */
            from?: string | null;
            /** @description Incidents that are known to have happened. */
            incidents?: components["schemas"]["KnownIncident"][];
            /** @description Only rules with these ids; all if there are none. */
            only?: string[];
            /**
             * Format: int32
             * @description How many operators share the alerts; 1 unless given.
             */
            operators?: number | null;
            /**
             * Format: date-time
             * @description The first instant after the range, RFC 3339; now unless given.
             */
            to?: string | null;
        };
        /** @description A certificate that a client may show. */
        NewCertificate: {
            /** @description Its common name, or `sha256:` and the SHA-256 fingerprint of the whole certificate in hex. */
            identity: string;
            /** @description What it is for. */
            note?: string;
        };
        /** @description A command for a device: `payload` or `payload_base64`, not both. */
        NewCommand: {
            /** @description What becomes of it while the device is not there. */
            keep?: components["schemas"]["CommandKeep"];
            /**
             * @description The last level of the topic, or several: `set` makes it `cmd/DEVICE/set` where the command
             *     topics are the usual ones.
             */
            name?: string;
            /**
             * @description What the device gets, as text; JSON is text too. Empty text ends a command that was kept
             *     as the last one.
             */
            payload?: string | null;
            /** @description What the device gets, if it is no text. */
            payload_base64?: string | null;
        };
        /** @description For whom tokens are to be made. */
        NewDeviceTokens: {
            /** @description The clients' names, most often ids of devices; 1 to 10,000. */
            clients: string[];
            /** @description What they are for. */
            note?: string;
        };
        /** @description What somebody notes. */
        NewNote: {
            /** @description 1 to 2,000 characters. */
            note: string;
        };
        /** @description A password that somebody chose. */
        NewPassword: {
            /** @description What it is for. */
            note?: string;
            /** @description At least 15 characters. */
            password: string;
        };
        /** @description A text for a group, and why. */
        NewRuleGroup: {
            /** @description The YAML text; it names the group as the address does. */
            text: string;
            /** @description Why; needed unless it is only tried. It stays in the history. */
            why: string | null;
        };
        /** @description Tests, and the rules that they test. */
        NewRuleTest: {
            /** @description The rule files that its `rules:` names. */
            files?: components["schemas"]["RuleFile"][];
            /** @description The file with the tests; those that `citybrain rules test` runs. */
            tests: components["schemas"]["RuleFile"];
        };
        /** @description What somebody wants silenced. */
        NewSilence: {
            /**
             * Format: date-time
             * @description Until when: at most 30 days, or 366 days if it recurs.
             */
            ends_at: string;
            /** @description Which alerts; at least one part must be given. */
            match: components["schemas"]["AlertMatch"];
            /** @description Why, 1 to 2,000 characters. */
            reason: string;
            /**
             * Format: date-time
             * @description From when on; now if missing.
             */
            starts_at?: string | null;
            weekly?: components["schemas"]["Weekly"] | null;
        };
        /** @description What a token is for. */
        NewToken: {
            /**
             * @description What it is for.
             * @default
             */
            note: string;
        };
        /** @description Devices that a rule cannot judge. */
        NotJudged: {
            /** @description How many there are. */
            devices: number;
            /** @description The ids of the first 20. */
            first: string[];
            /** @description Why: the devices are … */
            reason: components["schemas"]["LocalText"];
            /** @description The rule. */
            rule: string;
        };
        /** @description All public datasets. */
        OpenCatalogue: {
            datasets: components["schemas"]["OpenDataset"][];
            /** @description The same as DCAT-AP 3.0 in JSON-LD. */
            dcat_json_ld: string;
            /** @description The same as DCAT-AP 3.0 in Turtle. */
            dcat_turtle: string;
            description: components["schemas"]["LocalText"];
            /** @description The city. */
            publisher: components["schemas"]["LocalText"];
            /** @description Whether everything here is simulated or test data. */
            simulated: boolean;
            title: components["schemas"]["LocalText"];
            /** @description The address of the catalogue. */
            url: string;
        };
        /** @description A public dataset. */
        OpenDataset: {
            /** @description Whom to ask: an address that begins with `mailto:` or https. */
            contact: string | null;
            /**
             * Format: date-time
             * @description When it was first described.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When its description was changed last.
             */
            described_at: string;
            description: components["schemas"]["LocalText"];
            /** @description How many devices there are. */
            devices: number;
            distributions: components["schemas"]["OpenDistribution"][];
            id: string;
            licence: components["schemas"]["OpenLicence"];
            metrics: components["schemas"]["OpenMetric"][];
            /** @description How exactly places are told. */
            positions: components["schemas"]["DatasetPositions"];
            /** @description Where it comes from and how it is made. */
            provenance: components["schemas"]["LocalText"];
            publisher: components["schemas"]["LocalText"];
            /** @description What the quality flags of readings mean. */
            quality_flags: components["schemas"]["OpenFlag"][];
            /** @description Whether some of it is simulated or test data; each device and reading says so, too. */
            simulated: boolean;
            spatial: components["schemas"]["Bounds"] | null;
            temporal: components["schemas"]["OpenPeriod"] | null;
            /** @description Codes of the European "data theme" table. */
            themes: string[];
            title: components["schemas"]["LocalText"];
            /**
             * Format: date-time
             * @description The event time of its newest reading; `null` if there is none.
             */
            updated_at: string | null;
            /** @description Its address. */
            url: string;
        };
        /** @description A device as its dataset tells of it. */
        OpenDevice: {
            /** @description Those attributes that the dataset tells. */
            attributes: {
                [key: string]: components["schemas"]["ReadingValue"];
            };
            id: string;
            kind: string;
            /** @description Whether it moves; then the position is the newest one. */
            moving: boolean;
            name: components["schemas"]["LocalText"] | null;
            position: components["schemas"]["LonLat"] | null;
            simulated: boolean;
            /** @description The id of the smallest zone around it. */
            zone: string | null;
        };
        /** @description The devices of a dataset. */
        OpenDeviceList: {
            items: components["schemas"]["OpenDevice"][];
        };
        /** @description One way to get a dataset. */
        OpenDistribution: {
            media_type: string;
            title: components["schemas"]["LocalText"];
            url: string;
        };
        /** @description What a quality flag means. */
        OpenFlag: {
            /**
             * Format: int32
             * @description Its QARTOD number.
             */
            code: number;
            /** @description The flag as readings carry it. */
            flag: components["schemas"]["Quality"];
            meaning: components["schemas"]["LocalText"];
        };
        /** @description The newest reading of a series by event time. */
        OpenLatest: {
            device: string;
            metric: string;
            position: components["schemas"]["LonLat"] | null;
            quality: components["schemas"]["Quality"];
            simulated: boolean;
            /** Format: date-time */
            time: string;
            /** @description UCUM code. */
            unit: string;
            value: components["schemas"]["ReadingValue"];
        };
        /** @description The newest readings of a dataset. */
        OpenLatestList: {
            items: components["schemas"]["OpenLatest"][];
        };
        /** @description Under what data may be used. */
        OpenLicence: {
            /** @description Its SPDX id, or its address. */
            id: string;
            /** @description Where its text is. */
            url: string;
        };
        /** @description What is measured. */
        OpenMetric: {
            id: string;
            name: components["schemas"]["LocalText"];
            /** @description The unit as people write it. */
            symbol: string;
            /** @description UCUM code; empty if unknown. */
            unit: string;
        };
        /** @description A span of time: `from` is the first instant, `to` the first after it. */
        OpenPeriod: {
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
        };
        /** @description A reading, or with `step` a step in short, whose `value` is the mean of what counts. */
        OpenReading: {
            /**
             * Format: int64
             * @description Of a step: how many readings count; those that failed or are missing do not.
             */
            count: number | null;
            device: string;
            /**
             * Format: int64
             * @description Of a step: how many readings are suspect, failed or missing.
             */
            flagged: number | null;
            /**
             * Format: double
             * @description Of a step: the highest value.
             */
            max: number | null;
            metric: string;
            /**
             * Format: double
             * @description Of a step: the lowest value.
             */
            min: number | null;
            quality: components["schemas"]["Quality"] | null;
            simulated: boolean;
            /**
             * Format: date-time
             * @description Event time, or the beginning of the step.
             */
            time: string;
            /** @description UCUM code. */
            unit: string;
            value: components["schemas"]["ReadingValue"] | null;
        };
        /** @description A page of readings, by device, metric and event time. */
        OpenReadingPage: {
            items: components["schemas"]["OpenReading"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /** @description Devices or newest readings, as the name of the file says. */
        OpenRows: components["schemas"]["OpenDeviceList"] | components["schemas"]["OpenLatestList"];
        /** @description A place in WGS-84. */
        Position: {
            /**
             * Format: double
             * @description Degrees north.
             */
            lat: number;
            /**
             * Format: double
             * @description Degrees east.
             */
            lon: number;
        };
        /** @description What fires at one operator position. */
        PositionGroups: {
            /**
             * Format: int64
             * @description How many alerts fire.
             */
            firing: number;
            flood: components["schemas"]["AlertFlood"] | null;
            /** @description The groups, the largest first. */
            groups: components["schemas"]["AlertGroup"][];
            /** @description The department, or `city` where all have the same operators. */
            position: string;
        };
        /** @description The alarm load at one operator position. */
        PositionLoad: {
            /**
             * Format: int64
             * @description How many alerts fired.
             */
            alerts: number;
            /**
             * Format: int64
             * @description How many pairs of rule and subject chattered: 3 alerts or more within a minute. None should.
             */
            chattering: number;
            /**
             * Format: int64
             * @description How many alerts were over within a minute.
             */
            fleeting: number;
            /**
             * Format: double
             * @description The part of the time in flood; should be under 0.01.
             */
            flood_share: number;
            /**
             * Format: int64
             * @description How many floods there were.
             */
            floods: number;
            /**
             * Format: double
             * @description The part of the hours of the clock with more than 30 for an operator; should be under 0.01.
             */
            hours_over_30: number;
            /**
             * Format: int32
             * @description How many operators share it.
             */
            operators: number;
            /**
             * Format: double
             * @description A day and operator: up to 144 is acceptable, up to 288 manageable.
             */
            per_operator_day: number;
            /** @description The department; `city` for all. */
            position: string;
            /** @description How the severities share the alerts, mildest first. */
            severities: components["schemas"]["SeverityShare"][];
            /**
             * Format: int64
             * @description How many of these have for more than a day; should be under 5.
             */
            stale: number;
            /**
             * Format: int64
             * @description How many fire now.
             */
            standing: number;
            /**
             * Format: double
             * @description In ten minutes, for one operator, on average: up to 1 is acceptable, up to 2 manageable.
             */
            ten_minutes_mean: number;
            /**
             * Format: double
             * @description The part of the ten minutes of the clock with more than 10; should be under 0.01.
             */
            ten_minutes_over_10: number;
            /**
             * Format: double
             * @description The most in any ten minutes, for one operator: up to 10 is acceptable.
             */
            ten_minutes_peak: number;
        };
        /** @description The document as sent. */
        Problem: {
            /** @description The stable name of the kind of problem. */
            code: string;
            /** @description What is wrong this time. */
            detail: string;
            /** @description How to mend it. */
            hint: string | null;
            /** @description The path that was asked. */
            instance: string | null;
            /** @description The id of the request, as in the header `x-request-id` and in the server's log. */
            request_id: string | null;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The kind of problem, the same for every occurrence. */
            title: string;
            /** @description Where the code is explained, relative to the server. */
            type: string;
        };
        /** @description What became of a message. */
        PushReport: {
            /** @description Parts that could not become readings. They are kept as dead letters. */
            dead_letters: components["schemas"]["PushedLetter"][];
            /**
             * Format: int64
             * @description Readings that were there already.
             */
            duplicates: number;
            /**
             * Format: int64
             * @description Readings stored.
             */
            stored: number;
        };
        /** @description A part of a message that could not become readings. */
        PushedLetter: {
            /** @description What is wrong and where. */
            detail: string;
            /** @description How to mend it. */
            hint: string;
            /**
             * Format: int32
             * @description How many readings it stands for.
             */
            items: number;
            /** @description Why, as a stable code. */
            reason: string;
        };
        /**
         * @description How far a reading can be trusted: the QARTOD primary flag.
         * @enum {string}
         */
        Quality: "pass" | "not_evaluated" | "suspect" | "fail" | "missing";
        /** @description Lowest and highest value that can physically be, in the metric's unit. */
        Range: {
            /** Format: double */
            max: number;
            /** Format: double */
            min: number;
        };
        /**
         * @description A device with its readings of the range in short, in the unit of the metric. What failed or is
         *     missing does not count.
         */
        Ranked: {
            /** Format: int64 */
            count: number;
            device: string;
            /**
             * Format: double
             * @description The newest value.
             */
            last: number;
            /** Format: double */
            max: number;
            /** Format: double */
            mean: number;
            /** Format: double */
            min: number;
            name: components["schemas"]["LocalText"];
            /** Format: double */
            sum: number;
        };
        /** @description Readings in columns, by event time. */
        RawReadings: {
            /** @description QARTOD codes: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing. */
            quality: number[];
            /** @description Event times in milliseconds since 1970. */
            time: number[];
            value: components["schemas"]["ReadingValue"][];
        };
        /** @description A number in the metric's unit, a state, or a short text. */
        ReadingValue: number | boolean | string;
        /** @description The history of a series. Either `raw` or `buckets` is there. */
        Readings: {
            buckets: components["schemas"]["Buckets"] | null;
            device: string;
            /** Format: date-time */
            from: string;
            metric: string;
            raw: components["schemas"]["RawReadings"] | null;
            /**
             * Format: int64
             * @description The width of the buckets in seconds; `null` if raw.
             */
            step_s: number | null;
            /** @description The unit as people write it. */
            symbol: string;
            /** Format: date-time */
            to: string;
            /** @description Whether there are more raw readings than are given. */
            truncated: boolean;
            /** @description UCUM code. */
            unit: string;
        };
        /** @description How a receiver is doing. */
        Receiver: {
            /** @description Why it does not take events now; `null` while it does. */
            error: string | null;
            /**
             * Format: date-time
             * @description Since when it does not, as far back as the start.
             */
            failing_since: string | null;
            /**
             * Format: int64
             * @description Events of the last 90 days that it was never told: it refused them, or too many waited.
             */
            given_up: number;
            /** @description Its id in the configuration; `brain` is this program itself. */
            id: string;
            /** @description Whether it belongs to this program: only then is it told of simulated data. */
            inside: boolean;
            /**
             * Format: date-time
             * @description When it last took an event, within 90 days.
             */
            last_delivery: string | null;
            last_failure: components["schemas"]["ReceiverFailure"] | null;
            last_given_up: components["schemas"]["ReceiverFailure"] | null;
            /**
             * Format: date-time
             * @description When it is tried again; `null` while it works, and during an attempt.
             */
            next_try_at: string | null;
            /** @description Whether it took what it was told last, as far as anything was tried since the start. */
            ok: boolean;
            /**
             * Format: date-time
             * @description Since when the oldest of them waits.
             */
            oldest_waiting_at: string | null;
            /** @description What it is told about. */
            route: components["schemas"]["ReceiverRoute"];
            /** @description The kind of receiver, such as `webhook`. */
            type: string;
            /** @description Rules of the route that are not in force: they name nothing. */
            unknown_rules: string[];
            /**
             * Format: int64
             * @description Events that wait for it.
             */
            waiting: number;
        };
        /** @description Something that went wrong with a receiver. */
        ReceiverFailure: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description Why, in the words of the receiver or of the network. */
            message: string;
        };
        /** @description All receivers. */
        ReceiverList: {
            items: components["schemas"]["Receiver"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /** @description Which alerts a receiver is told about; what is empty leaves nothing out. */
        ReceiverRoute: {
            /** @description Departments that own the rule. */
            departments: string[];
            /** @description Kinds of the device. */
            device_kinds: string[];
            /** @description Labels of the rule, each with the values of which one will do. */
            labels: {
                [key: string]: string[];
            };
            /** @description Whether it is told that alerts ended. */
            resolved: boolean;
            /** @description Ids of rules. */
            rules: string[];
            /** @description The least severity. */
            severity: components["schemas"]["Severity"];
            /** @description Zones that the alert lies in. */
            zones: string[];
        };
        /** @description How it stands with a receiver of alerts. */
        ReceiverState: {
            /** @description Why deliveries fail now; `null` while they work. */
            error: string | null;
            /**
             * Format: date-time
             * @description Since when they fail, as far back as the start; `null` while they work.
             */
            failing_since: string | null;
            /** @description Its id in the configuration. */
            id: string;
            /**
             * Format: date-time
             * @description When it last took an event; `null` if it never did.
             */
            last_delivery: string | null;
            /**
             * Format: int64
             * @description Events that wait to be delivered to it.
             */
            waiting: number;
        };
        /** @description What a test alert came to. */
        ReceiverTrial: {
            /** @description What went wrong; `null` if it took both. */
            error: string | null;
            /** @description How to mend that. */
            hint: string | null;
            /** @description Whether it took the alert and its end. */
            taken: boolean;
            /**
             * Format: int64
             * @description How long that took, in milliseconds.
             */
            took_ms: number;
        };
        /** @description What was counted on one day. `received = stored + duplicate + dead_lettered`. */
        ReportCounters: {
            /** Format: int64 */
            dead_lettered: number;
            /** Format: int64 */
            duplicate: number;
            /**
             * Format: int64
             * @description Messages found missing, by the numbers that devices skipped, less those that had been found
             *     missing on a day before and came after all: can be negative.
             */
            missed: number;
            /** Format: int64 */
            received: number;
            /** Format: int64 */
            stored: number;
        };
        /** @description What was counted of one source, department or device, on one day. */
        ReportItem: components["schemas"]["ReportCounters"] & {
            /** @description Its id; `(unknown)` for messages that name no registered device. */
            id: string;
        };
        /** @description Dead letters of one source with one reason. */
        ReportLetters: {
            /**
             * Format: int64
             * @description How many items of the counters they stand for.
             */
            items: number;
            /** Format: int64 */
            letters: number;
            reason: string;
            /**
             * Format: int64
             * @description How many of the letters were replayed since.
             */
            replayed: number;
            /** @description The id of the source; empty if no source wanted their topics. */
            source: string;
        };
        /**
         * @description The data of `resync`: what the client knows may be out of date; fetch `/map` and `/alerts`
         *     again. The stream goes on.
         */
        ResyncEvent: {
            reason: string;
        };
        /** @description Until when whoever gets it back must accept it. */
        ReturnAlert: {
            /** @description At most 2,000 characters. */
            note?: string | null;
            /**
             * Format: date-time
             * @description At most 30 days from now.
             */
            until: string;
        };
        /** @description All that a client may do. */
        Rights: {
            /** @description Whether it speaks for all devices. */
            any_device: boolean;
            /** @description The devices that it speaks for; `null` for the one of its own name. */
            devices: string[] | null;
            /** @description The topic filters that it may publish to; if none, the topics that name its device. */
            publish: string[];
        };
        /**
         * @description What somebody may do; each role of people may do what those before it may.
         * @enum {string}
         */
        Role: "engine" | "viewer" | "operator" | "engineer" | "admin";
        /** @description A rule as loaded. */
        Rule: {
            /** @description The department that owns it. */
            department: string;
            /** @description `above` if high values are bad, `below` if low ones are; `null` without limits. */
            direction: string | null;
            file: string;
            /**
             * Format: int64
             * @description How many of its alerts fire.
             */
            firing: number;
            /**
             * Format: double
             * @description For how many seconds a limit must be passed before the alert fires.
             */
            for_s: number;
            /** @description The group of its file. */
            group: string;
            id: string;
            /**
             * Format: double
             * @description For how many seconds the alert goes on firing after the condition has cleared.
             */
            keep_firing_for_s: number;
            /** @description What it does, such as `threshold`. */
            kind: string;
            /** @description Routing labels. */
            labels: {
                [key: string]: string;
            };
            /** @description The line on which it begins, from 1. */
            line: number;
            name: components["schemas"]["LocalText"];
            /** @description Where to read what to do. */
            runbook: string | null;
            select: components["schemas"]["RuleSelector"];
            /** @description Its severities, mildest first. */
            severities: components["schemas"]["RuleStep"][];
            /** @description The part of the file that defines it, as written. */
            text: string;
            /** @description The first 12 hexadecimal digits of the SHA-256 of its definition. */
            version: string;
        };
        /** @description What is wrong with rule files. */
        RuleCheck: {
            /** @description Devices that good rules select and cannot judge, because the registry has no limits for them. */
            not_judged: components["schemas"]["NotJudged"][];
            /** @description All problems, in the order of files and lines. */
            problems: components["schemas"]["RuleFault"][];
            /** @description How many rules there are; 0 if there are problems. */
            rules: number;
        };
        /** @description Why an alert fired, or why none did. */
        RuleExplanation: {
            alert: components["schemas"]["Alert"] | null;
            /**
             * @description The alerts of the rule about the subject that stood in that time, with their logs, newest
             *     first; at most 5.
             */
            alerts: components["schemas"]["AlertDetail"][];
            /** Format: date-time */
            at: string;
            /** @description Where it may differ from what really happened. */
            caveats: components["schemas"]["LocalText"][];
            /** @description How often what was decided, by the names of decisions. */
            counts: {
                [key: string]: number;
            };
            /**
             * Format: date-time
             * @description From when on readings were looked at.
             */
            from: string;
            /** @description What was decided about readings that came late, since the program started; newest first. */
            late_readings: components["schemas"]["LateDecided"][];
            /** @description What of the rule does not match, by the registry of today. */
            mismatches: components["schemas"]["ExplainedMismatch"][];
            nearest_miss: components["schemas"]["NearestMiss"] | null;
            /**
             * Format: int64
             * @description How many readings were evaluated.
             */
            readings: number;
            rule: string;
            /** @description All of it in one sentence. */
            sentence: components["schemas"]["LocalText"];
            /** @description The silences that kept outside receivers from being told of the alert at that instant. */
            silences: components["schemas"]["ExplainedSilence"][];
            /**
             * Format: date-time
             * @description Since when it fired, or the condition held.
             */
            since: string | null;
            /** @description What was decided, oldest first: the newest steps. */
            steps: components["schemas"]["ExplainedStep"][];
            /**
             * Format: int64
             * @description How many older steps there were.
             */
            steps_left_out: number;
            subject: components["schemas"]["Subject"];
            /**
             * Format: date-time
             * @description When it would change by itself: fire, end, or be silent for too long.
             */
            until: string | null;
            /** @description How many readings the rule did not trust, by their quality flag. */
            untrusted: {
                [key: string]: number;
            };
            verdict: components["schemas"]["ExplainedVerdict"];
            /** @description The version of the rule that was run: the one in force. */
            version: string;
        };
        /** @description One problem of a rule file. */
        RuleFault: {
            /** @description The column in characters, from 1. */
            column: number;
            /** @description The name of the file; `api:` and the group for one that is kept in the API. */
            file: string;
            /** @description How to mend it. */
            hint: string | null;
            /** @description The line, from 1. */
            line: number;
            /** @description What is wrong. */
            message: string;
            /** @description The rule in which it is. */
            rule: string | null;
        };
        /** @description A rule file. */
        RuleFile: {
            /** @description What problems call it. */
            name: string;
            /** @description The YAML text. */
            text: string;
        };
        /** @description Rule files to be checked. */
        RuleFiles: {
            files: components["schemas"]["RuleFile"][];
        };
        /** @description A group of rules. */
        RuleGroup: {
            /** Format: date-time */
            at: string | null;
            /** @description Who changed it last. */
            by: string | null;
            /** @description What `If-Match` needs to change it. */
            etag: string;
            /** @description The files that it lives in. */
            files: string[];
            group: string;
            /** @description Why none of its rules is in force; empty if all are. */
            problems: components["schemas"]["RuleFault"][];
            /** @description Whether it cannot be changed here, because it lives in files. */
            read_only: boolean;
            /** @description How many of its rules are in force. */
            rules: number;
            source: components["schemas"]["RuleSource"];
            /**
             * Format: int64
             * @description The number of its text in its history; `null` if it lives in files, as all that follows.
             */
            version: number | null;
            /** @description Why it was changed. */
            why: string | null;
        };
        /** @description What a change did, or would do. */
        RuleGroupChange: {
            /** @description Whether it was made; `false` if it was only tried. */
            done: boolean;
            /** @description What is wrong with a change that was only tried; it would be refused. */
            problems: components["schemas"]["RuleFault"][];
            reload: components["schemas"]["RuleReload"] | null;
            /**
             * Format: int64
             * @description The number of the group's text in its history; `null` if it has none.
             */
            version: number | null;
        };
        /** @description A page of a group's history. */
        RuleGroupHistory: {
            items: components["schemas"]["RuleGroupVersion"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /** @description All groups of rules. */
        RuleGroupList: {
            /** @description Groups that were kept here and are deleted. */
            deleted: components["schemas"]["DeletedRuleGroup"][];
            items: components["schemas"]["RuleGroup"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /** @description Why a version is restored. */
        RuleGroupRestoration: {
            /** @description Why; needed unless it is only tried. It stays in the history. */
            why: string | null;
        };
        /**
         * @description What was done to a group.
         * @enum {string}
         */
        RuleGroupStep: "written" | "restored" | "deleted";
        /** @description A group with its text. */
        RuleGroupText: components["schemas"]["RuleGroup"] & {
            /** @description Its YAML texts: one for each file, exactly one if it is kept here. */
            texts: components["schemas"]["RuleFile"][];
        };
        /** @description A version of a group. */
        RuleGroupVersion: {
            /** Format: date-time */
            at: string;
            by: string;
            /**
             * Format: int64
             * @description The version whose text it got again.
             */
            restored_from: number | null;
            step: components["schemas"]["RuleGroupStep"];
            /**
             * Format: int64
             * @description From 1, counted on when a group that was deleted comes back.
             */
            version: number;
            why: string;
        };
        /** @description A version of a group with its text. */
        RuleGroupVersionText: components["schemas"]["RuleGroupVersion"] & {
            /** @description The YAML text; `null` if the group was deleted. */
            text: string | null;
        };
        /** @description All rules. */
        RuleList: {
            items: components["schemas"]["Rule"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /** @description A rule's part of the load. */
        RuleLoad: {
            /** Format: int64 */
            alerts: number;
            /** Format: int64 */
            chattering: number;
            /** Format: int64 */
            fleeting: number;
            /** @description The rule's id. */
            rule: string;
            /**
             * Format: double
             * @description Its part of all.
             */
            share: number;
            /** Format: int64 */
            stale: number;
        };
        /** @description The rule that raised an alert, as it was then. */
        RuleRef: {
            /** @description The department that owns it. */
            department: string;
            /** @description Its id. */
            id: string;
            /** @description What people call it. */
            name: components["schemas"]["LocalText"];
            /** @description The first 12 hexadecimal digits of the SHA-256 of its definition. */
            version: string;
        };
        /** @description What a change of the rules did, or would do. */
        RuleReload: {
            /** @description The ids that are new. */
            added: string[];
            /** @description The ids of those that decide differently: they begin afresh. */
            changed: string[];
            /** @description The alerts that end by it. */
            ended: components["schemas"]["EndedAlert"][];
            /** @description How many are the same: they keep their state. */
            kept: number;
            /** @description The ids that are gone. */
            removed: string[];
            /** @description The ids of those of which only texts and labels changed: they keep their state. */
            retold: string[];
            /** @description How many rules there are then. */
            rules: number;
        };
        /** @description What a rule selects; what is empty matches everything. */
        RuleSelector: {
            /** @description Attributes with the values that match. */
            attributes: {
                [key: string]: components["schemas"]["ReadingValue"][];
            };
            department: string[];
            device: string[];
            kind: string[];
            metric: string[];
            zone: string[];
        };
        /**
         * @description Where a group lives.
         * @enum {string}
         */
        RuleSource: "files" | "api";
        /** @description One severity of a rule. */
        RuleStep: {
            /**
             * Format: double
             * @description The limit that clears it again, if it is another one.
             */
            clear: number | null;
            /**
             * Format: double
             * @description For how long the limit must be passed, in seconds.
             */
            for_s: number;
            /**
             * Format: double
             * @description The limit that raises it; that of devices without a limit of their own where the rule takes
             *     it from the device. `null` for rules that judge no value, or if there is no such limit.
             */
            limit: number | null;
            severity: components["schemas"]["Severity"];
        };
        /** @description What came of the tests. */
        RuleTestReport: {
            /** @description The names of those that did not. */
            failed: string[];
            /** @description Whether there were tests and all of them passed. */
            ok: boolean;
            /** @description The names of the tests that passed. */
            passed: string[];
            /** @description What is wrong, in tests, in rules, or with what came out. */
            problems: components["schemas"]["RuleFault"][];
        };
        /** @description What was seen of a name from one source. */
        SeenFrom: {
            /**
             * Format: int64
             * @description How many readings came with it.
             */
            count: number;
            /** Format: date-time */
            first_seen_at: string;
            /** Format: date-time */
            last_seen_at: string;
            /**
             * Format: double
             * @description The last value, if it was a number.
             */
            last_value: number | null;
            source: string;
            /** @description The unit that came with it the first time; empty if none did. */
            unit: string;
        };
        /** @description A page of histories. */
        SeriesPage: {
            /** @description By device and metric; all of the same range. */
            items: components["schemas"]["Readings"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. Keep `from` and `to` the same. */
            next_cursor: string | null;
        };
        /** @description Who is logged in. */
        Session: {
            /** @description The header that changes need beside the cookie, with the value 1. */
            csrf_header: string;
            /**
             * Format: date-time
             * @description When the session or token ends at the latest; `null` if it does not by itself.
             */
            expires_at: string | null;
            /** @description Which role where. */
            grants: components["schemas"]["Grant"][];
            /** @description What people call the user. */
            name: string;
            /** @description Whether nothing else can be done before the password is changed. */
            password_change_needed: boolean;
            /** @description Whether the password can be changed: it is a session of a user who has one. */
            password_changeable: boolean;
            role: components["schemas"]["Role"] | null;
            /** @description The user's id, or what the access token was made for. */
            user: string;
            /** @description What the request showed: `session` or `token`. */
            via: string;
        };
        /**
         * @description How bad it is, mildest first.
         * @enum {string}
         */
        Severity: "low" | "medium" | "high" | "critical";
        /** @description How many alerts have a severity. */
        SeverityShare: {
            /** Format: int64 */
            alerts: number;
            severity: components["schemas"]["Severity"];
            /**
             * Format: double
             * @description Their part of all.
             */
            share: number;
            /**
             * Format: double
             * @description What it should be about, as ISA-18.2 advises.
             */
            target: number;
        };
        /** @description Somebody's decision not to be bothered with an alert for a while (ISA-18.2: shelve). */
        Shelf: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description The user. */
            by: string;
            /** @description Why. */
            reason: string;
            /**
             * Format: date-time
             * @description When it ends by itself.
             */
            until: string;
        };
        /** @description For how long and why. */
        ShelveAlert: {
            /** @description Why, 1 to 2,000 characters. */
            reason: string;
            /**
             * Format: date-time
             * @description Until when, at most 24 hours from now.
             */
            until: string;
        };
        /** @description A silence: alerts that outside receivers are not told of for a while. */
        Silence: {
            /** Format: date-time */
            created_at: string;
            ended: components["schemas"]["EndedEarly"] | null;
            /**
             * Format: date-time
             * @description When it ends, or ended.
             */
            ends_at: string;
            /** @description Whether it will be over within an hour. */
            expires_soon: boolean;
            /**
             * Format: int64
             * @description How many alerts it has held back.
             */
            hid: number;
            id: string;
            /** @description Which alerts. */
            match: components["schemas"]["AlertMatch"];
            /**
             * Format: date-time
             * @description When its state next changes; `null` if it is over.
             */
            next_change_at: string | null;
            /** @description Who made it. */
            owner: string;
            reason: string;
            /** Format: date-time */
            starts_at: string;
            /**
             * @description `pending`: it has not begun, or it recurs and rests between its spans; `active`: it holds
             *     back what it matches; `expired`: it is over.
             */
            state: components["schemas"]["SilenceState"];
            /**
             * Format: int64
             * @description How many of them came and went without any outside receiver hearing of them.
             */
            unsaid: number;
            weekly: components["schemas"]["Weekly"] | null;
        };
        /** @description A page of silences. */
        SilencePage: {
            items: components["schemas"]["Silence"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
        };
        /**
         * @description How far a silence is.
         * @enum {string}
         */
        SilenceState: "pending" | "active" | "expired";
        /** @description Devices in service from which nothing came. */
        SilentDevices: {
            count: number;
            /** @description The first 1,000 of them, by id. */
            ids: string[];
        };
        /** @description The data of an event, by its name. */
        StreamData: components["schemas"]["HelloEvent"] | components["schemas"]["MapEvent"] | components["schemas"]["ValuesEvent"] | components["schemas"]["AlertItem"] | components["schemas"]["System"] | components["schemas"]["ResyncEvent"];
        /** @description An event of the stream. */
        StreamEvent: {
            /** @description The data of the event of that name, a `StreamData`, as JSON. */
            data: string;
            /** @description `hello`, `map`, `values`, `alert`, `system` or `resync`. */
            event: string;
            /** @description Where to go on after it, for `Last-Event-ID`. */
            id: string;
        };
        /** @description What an alert is about. */
        Subject: {
            /** @description The device's id. */
            device: string;
            /** @description The metric's id. */
            metric: string;
            /** @enum {string} */
            type: "series";
        } | {
            /** @description The device's id. */
            device: string;
            /** @enum {string} */
            type: "device";
        } | {
            /** @enum {string} */
            type: "zone";
            /** @description The zone's id. */
            zone: string;
        };
        /** @description What this instance is and how it is doing. */
        System: {
            alerts: components["schemas"]["AlertCounts"];
            /** @description Why alerts cannot be evaluated now; `null` while they can. */
            alerts_failing: string | null;
            /** Format: int64 */
            alerts_firing: number;
            /** @description The sessions with external brokers. */
            brokers: components["schemas"]["BrokerStatus"][];
            city: components["schemas"]["City"];
            /** @description Why readings cannot be stored now; `null` while they can. */
            commits_failing: string | null;
            /**
             * Format: int64
             * @description Devices that are not retired.
             */
            devices: number;
            /**
             * Format: int64
             * @description Those of them that were heard within 1.5 of their intervals.
             */
            devices_online: number;
            /**
             * Format: int64
             * @description Messages that were taken and are not yet durable.
             */
            in_flight: number;
            /**
             * Format: date-time
             * @description When anything was last received.
             */
            last_reading_at: string | null;
            mode: components["schemas"]["Mode"];
            /**
             * Format: date-time
             * @description The server's clock.
             */
            now: string;
            /**
             * Format: double
             * @description Readings committed a second, over the last ten seconds.
             */
            readings_per_s: number;
            /** @description The receivers of alerts. */
            receivers: components["schemas"]["ReceiverState"][];
            /**
             * @description What is wrong with the rules, while the others are in force: files that were refused, groups
             *     that are disabled.
             */
            rule_problems: string[];
            /** @description Whether everything here is simulated. */
            simulated: boolean;
            /** Format: date-time */
            started_at: string;
            version: string;
        };
        /**
         * @description Where the tiles of a layer are drawn.
         * @enum {string}
         */
        TileCoordinates: "wgs84" | "gcj02";
        /** @description A token just made: the only time that it can be seen. */
        TokenMade: {
            /** @description Whose it is. */
            client: string;
            /**
             * Format: int64
             * @description Its number, to revoke it.
             */
            id: number;
            /** @description The token: for `Authorization: Bearer`, and as the password of MQTT. */
            token: string;
        };
        /** @description Tokens just made: the only time that they can be seen. */
        TokensMade: {
            items: components["schemas"]["TokenMade"][];
        };
        /** @description The devices that stand first. */
        Top: {
            /**
             * @description What devices are ranked by.
             * @enum {string}
             */
            by: "mean" | "max" | "min" | "last" | "sum" | "count";
            /** Format: date-time */
            from: string;
            metric: string;
            /**
             * @description The first first; of equals the one that was registered first. Devices without readings that
             *     count are left out.
             */
            ranking: components["schemas"]["Ranked"][];
            /** @description The unit as people write it. */
            symbol: string;
            /** Format: date-time */
            to: string;
            /** @description UCUM code. */
            unit: string;
        };
        /** @description A GeoJSON feature: the line along which a device moved. */
        Track: {
            geometry: components["schemas"]["TrackLine"] | null;
            properties: components["schemas"]["TrackProperties"];
            /**
             * @description `Feature`, of GeoJSON.
             * @enum {string}
             */
            type: "Feature";
        };
        /** @description A GeoJSON geometry. */
        TrackLine: {
            /** @description Longitude and latitude of each position. */
            coordinates: components["schemas"]["LonLat"][];
            /**
             * @description `LineString`, of GeoJSON.
             * @enum {string}
             */
            type: "LineString";
        };
        /** @description What belongs to the line. */
        TrackProperties: {
            device: string;
            /** @description When it was at each position, in the same order. */
            times: string[];
            /** @description Whether there are more positions than are given. */
            truncated: boolean;
        };
        /** @description A device that calls and is not registered. */
        Unknown: {
            /**
             * Format: int64
             * @description How many of its readings became dead letters.
             */
            count: number;
            /** @description The department that its topic named last, or its source says. */
            department: string;
            /** Format: date-time */
            first_seen_at: string;
            id: string;
            /** @description Whether somebody said that it is of no interest. */
            ignored: boolean;
            /** @description The kind that its topic named last, or its source says. */
            kind: string;
            /** Format: date-time */
            last_seen_at: string;
            /** @description The source that it came through last. */
            source: string;
        };
        /** @description A page of unknown devices. */
        UnknownPage: {
            items: components["schemas"]["Unknown"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
            /** @description How many match in all. */
            total: number;
        };
        /** @description What somebody says when they take an alert back. */
        UnshelveAlert: {
            /** @description At most 2,000 characters. */
            note?: string | null;
        };
        /** @description Somebody who logs in; never with the password. */
        User: {
            /** Format: date-time */
            created_at: string;
            /** @description Who added them. */
            created_by: string;
            email: string | null;
            /** @description Whether they may log in. */
            enabled: boolean;
            /** @description Whether they log in through the identity provider. */
            external: boolean;
            /** @description Which role where. */
            grants: components["schemas"]["Grant"][];
            /** @description Whether they have a password. */
            has_password: boolean;
            /** @description What they log in with, and what stands in logs. */
            id: string;
            /** Format: date-time */
            last_login_at: string | null;
            /** @description What people call them. */
            name: string;
            /** @description Whether they must choose another password before anything else. */
            password_change_needed: boolean;
        };
        /** @description What is to be written about a user. */
        UserEntry: {
            email?: string | null;
            /** @description Whether they may log in. */
            enabled: boolean;
            /** @description Which role where: at most one for each department, `*` for the whole city. */
            grants: components["schemas"]["Grant"][];
            /** @description What people call them. */
            name: string;
            /**
             * @description A password that they must change at their next login, at least 12 characters; without it they
             *     keep theirs.
             */
            password?: string | null;
        };
        /** @description A page of users. */
        UserPage: {
            items: components["schemas"]["User"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
            /** @description How many match in all. */
            total: number;
        };
        /**
         * @description The data of `values`: the newest value of each series since the last such event, as
         *     `[device, metric, time_ms, value, quality_code]`.
         */
        ValuesEvent: {
            /** Format: date-time */
            at: string;
            values: unknown[][];
        };
        /**
         * @description A day of the week.
         * @enum {string}
         */
        Weekday: "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";
        /** @description Spans of every week by the clock on the wall. */
        Weekly: {
            spans: components["schemas"]["WeeklySpan"][];
            /** @description An IANA name, such as `Asia/Shanghai`. */
            time_zone: string;
        };
        /** @description A span of some days of the week. */
        WeeklySpan: {
            /** @description The days on which it begins. */
            days: components["schemas"]["Weekday"][];
            /** @description When it begins, `HH:MM`. */
            from: string;
            /** @description When it ends, `HH:MM`; on the next day if that is not after `from`. */
            to: string;
        };
        /** @description An alert that would have fired. */
        WouldBe: {
            /** Format: date-time */
            fired_at: string;
            /**
             * Format: double
             * @description The limit that it passed.
             */
            limit: number | null;
            /**
             * Format: date-time
             * @description `null` if it fires at the end of the range.
             */
            resolved_at: string | null;
            /** @description The rule's id. */
            rule: string;
            /** @description The worst that it had. */
            severity: components["schemas"]["Severity"];
            /** Format: date-time */
            started_at: string;
            subject: components["schemas"]["Subject"];
            summary: components["schemas"]["LocalText"];
            /**
             * Format: double
             * @description The value that decided.
             */
            value: number | null;
        };
        /** @description The zones as GeoJSON. */
        ZoneCollection: {
            features: components["schemas"]["ZoneFeature"][];
            /** @description Pass it as `cursor` to get the next page; `null` at the end. */
            next_cursor: string | null;
            /**
             * @description `FeatureCollection`, of GeoJSON.
             * @enum {string}
             */
            type: "FeatureCollection";
        };
        /** @description A zone in figures. */
        ZoneDetail: {
            /** @description The zones above it in the hierarchy, the nearest first. */
            above: string[];
            /** Format: int64 */
            alerts_firing: number;
            /**
             * Format: double
             * @description Its area in square kilometres, on a sphere.
             */
            area_km2: number;
            /** @description The zones right below it. */
            below: string[];
            /** @description West, south, east, north. */
            bounds: components["schemas"]["Bounds"];
            /**
             * Format: int64
             * @description How many devices are in it now, moving ones included.
             */
            devices: number;
            devices_by_kind: {
                [key: string]: number;
            };
            id: string;
            /** @description A place inside, for the name: longitude and latitude. */
            label: components["schemas"]["LonLat"];
            layer: string;
            /** @description Trusted last values that are at most 15 minutes old. */
            metrics: components["schemas"]["ZoneMetric"][];
            name: components["schemas"]["LocalText"];
            /**
             * Format: int64
             * @description How many of them are offline.
             */
            offline: number;
        };
        /** @description A zone as a GeoJSON feature. */
        ZoneFeature: {
            geometry: components["schemas"]["ZoneGeometry"];
            properties: components["schemas"]["ZoneProperties"];
            /**
             * @description `Feature`, of GeoJSON.
             * @enum {string}
             */
            type: "Feature";
        };
        /** @description The border of a zone, simplified for maps, as a GeoJSON geometry. */
        ZoneGeometry: {
            /** @description Polygons of rings of longitudes and latitudes. */
            coordinates: components["schemas"]["LonLat"][][][];
            /**
             * @description `MultiPolygon`, of GeoJSON.
             * @enum {string}
             */
            type: "MultiPolygon";
        };
        /** @description A metric over the devices of a zone. */
        ZoneMetric: {
            /**
             * Format: int64
             * @description How many devices count.
             */
            devices: number;
            /** Format: double */
            max: number;
            /** Format: double */
            mean: number;
            metric: string;
            /** Format: double */
            min: number;
            /**
             * Format: date-time
             * @description The event time of the newest value that counts.
             */
            newest_at: string;
        };
        /** @description What is known of a zone. */
        ZoneProperties: {
            /**
             * Format: double
             * @description Its area in square kilometres, on a sphere.
             */
            area_km2: number;
            /** @description West, south, east, north. */
            bounds: components["schemas"]["Bounds"];
            /**
             * Format: int64
             * @description How many devices stand in it.
             */
            devices: number;
            id: string;
            /** @description A place inside, for the name: longitude and latitude. */
            label: components["schemas"]["LonLat"];
            /** @description The layer, such as `neighbourhood`. */
            layer: string;
            name: components["schemas"]["LocalText"];
            /** @description The zone above it in the hierarchy; `null` if there is none. */
            parent: string | null;
        };
        /** @description What a reload of the zones did. */
        ZoneReload: {
            /** @description The ids that are new. */
            added: string[];
            /** @description The ids that are gone. */
            removed: string[];
            /** @description What is odd in the files, but no reason to refuse them. */
            warnings: string[];
            /**
             * Format: int64
             * @description How many zones there are now.
             */
            zones: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_aggregates: {
        parameters: {
            query: {
                /** @description Only devices that are in one of these zones now, separated by commas. */
                zone?: string;
                /** @description Only devices of these kinds, separated by commas. */
                kind?: string;
                /** @description Only these departments' devices, separated by commas. */
                department?: string;
                /** @description The metric's id. */
                metric: string;
                /** @description The first instant, RFC 3339; six hours before `to` unless given. */
                from?: string;
                /** @description The first instant after the range, RFC 3339; now unless given. */
                to?: string;
                /** @description The width of the steps: seconds, `1m`, `15m` or `1h`; one that fits a chart unless given. */
                step?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The steps */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Aggregates"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_alarm_load: {
        parameters: {
            query?: {
                /** @description Only those whose rules this department owns. */
                department?: string;
                /** @description Those that fired at this instant or later, RFC 3339; a day before `to` unless given. */
                from?: string;
                /**
                 * @description Those that fired before this instant, RFC 3339; now unless given. At most 366 days after
                 *     `from`.
                 */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The load */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlarmLoad"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    push_alert_event: {
        parameters: {
            query?: never;
            header?: {
                /** @description The event's `key`; refused if it is another */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AlertEvent"];
            };
        };
        responses: {
            /** @description Taken, now or before */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_alert_log: {
        parameters: {
            query?: {
                /**
                 * @description `json` for a page, which is meant unless `Accept` says otherwise; or all that matches as a
                 *     file: `csv`, `geojson`, `geojsonseq` (RFC 8142), `ndjson` or `parquet`. A file has no more rows
                 *     than `limit` if that is given.
                 */
                format?: "json" | "csv" | "geojson" | "geojsonseq" | "ndjson" | "parquet";
                /** @description Only these members of each item, or columns of the file, separated by commas. */
                fields?: string;
                /** @description `true`: CSV begins with a byte order mark, by which spreadsheet programs know UTF-8. */
                bom?: boolean;
                /**
                 * @description `false`: CSV has texts as they are. Otherwise those that a spreadsheet program would take for a
                 *     formula have an apostrophe before them.
                 */
                safe?: boolean;
                /** @description Only those of these alerts, separated by commas. */
                alert?: string;
                /** @description Only those of alerts of these rules, separated by commas. */
                rule?: string;
                /** @description Only those of alerts about these devices, separated by commas. */
                device?: string;
                /** @description Only those of alerts in these zones, separated by commas. */
                zone?: string;
                /** @description Only those of alerts whose rules these departments own, separated by commas. */
                department?: string;
                /** @description Only what these users did, separated by commas; `engine` and `brain` are what happened by itself. */
                who?: string;
                /** @description Only those that speak of these silences, alerts, departments or people, separated by commas. */
                about?: string;
                /**
                 * @description Only these kinds, separated by commas.
                 * @example fired,resolved
                 */
                kind?: string;
                /** @description Only what happened at this instant or later, RFC 3339. */
                from?: string;
                /** @description Only what happened before this instant, RFC 3339. */
                to?: string;
                /** @description `newest`, unless given, or `oldest` first. */
                sort?: "newest" | "oldest";
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the log */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertLogPage"] | components["schemas"]["ChosenFields"];
                    "text/csv": string;
                    "application/geo+json": Record<string, never>;
                    "application/geo+json-seq": string;
                    "application/x-ndjson": string;
                    "application/vnd.apache.parquet": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_alerts: {
        parameters: {
            query?: {
                /**
                 * @description `json` for a page, which is meant unless `Accept` says otherwise; or all that matches as a
                 *     file: `csv`, `geojson`, `geojsonseq` (RFC 8142), `ndjson` or `parquet`. A file has no more rows
                 *     than `limit` if that is given.
                 */
                format?: "json" | "csv" | "geojson" | "geojsonseq" | "ndjson" | "parquet";
                /** @description Only these members of each item, or columns of the file, separated by commas. */
                fields?: string;
                /** @description `true`: CSV begins with a byte order mark, by which spreadsheet programs know UTF-8. */
                bom?: boolean;
                /**
                 * @description `false`: CSV has texts as they are. Otherwise those that a spreadsheet program would take for a
                 *     formula have an apostrophe before them.
                 */
                safe?: boolean;
                /** @description `firing`, `resolved` or `all`, which is meant unless given. */
                state?: "all" | "firing" | "resolved";
                /**
                 * @description Only these severities, separated by commas.
                 * @example high,critical
                 */
                severity?: string;
                /** @description Only those in one of these zones, separated by commas. */
                zone?: string;
                /** @description Only those about one of these devices, separated by commas. */
                device?: string;
                /** @description Only those of one of these rules, separated by commas. */
                rule?: string;
                /** @description Only those of rules that one of these departments owns, separated by commas. */
                department?: string;
                /** @description Only those about devices of one of these kinds, separated by commas. */
                kind?: string;
                /** @description Only those that are, or are not, acknowledged. */
                acknowledged?: boolean;
                /** @description Only those that are, or are not, shelved. */
                shelved?: boolean;
                /** @description Only those that silences keep outside receivers from being told of, or only the others. */
                silenced?: boolean;
                /** @description Only those that this user was asked to take care of, or has accepted. */
                who?: string;
                /** @description Only those with this text in their summary, rule, device or id. */
                q?: string;
                /** @description Only those that fired at this instant or later, RFC 3339. */
                from?: string;
                /** @description Only those that fired before this instant, RFC 3339. */
                to?: string;
                /**
                 * @description `newest` unless given, `oldest`, `updated`: changed last first, or `urgency`: unacknowledged
                 *     first, then the worst. Equals are in the order of `id`.
                 */
                sort?: "newest" | "oldest" | "updated" | "urgency";
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of alerts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertPage"] | components["schemas"]["ChosenFields"];
                    "text/csv": string;
                    "application/geo+json": Record<string, never>;
                    "application/geo+json-seq": string;
                    "application/x-ndjson": string;
                    "application/vnd.apache.parquet": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_alert_groups: {
        parameters: {
            query?: {
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The groups */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertGroups"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_alert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The alert's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The alert; its ETag is for `If-Match` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertDetail"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    accept_alert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The alert's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AcceptAlert"];
            };
        };
        responses: {
            /** @description The alert */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertItem"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Somebody else has it, or it has ended */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    acknowledge_alert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The alert's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Acknowledge"];
            };
        };
        responses: {
            /** @description The alert, acknowledged */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertItem"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Acknowledged before (`acknowledged` says by whom and when), or resolved */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    assign_alert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The alert's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AssignAlert"];
            };
        };
        responses: {
            /** @description The alert */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertItem"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Somebody has it, or it has ended */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    explain_alert: {
        parameters: {
            query?: {
                /** @description At which instant, RFC 3339; when the alert fired unless given. */
                at?: string;
                /** @description How many steps at most, the newest ones, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The alert's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Why */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleExplanation"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    hand_over_alert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The alert's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HandOverAlert"];
            };
        };
        responses: {
            /** @description The alert */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertItem"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is somebody else's, or it has ended */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_alert_note: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The alert's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewNote"];
            };
        };
        responses: {
            /** @description The alert */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertItem"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    return_alert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The alert's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReturnAlert"];
            };
        };
        responses: {
            /** @description The alert */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertItem"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is somebody else's, came from nobody, or has ended */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    shelve_alert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The alert's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ShelveAlert"];
            };
        };
        responses: {
            /** @description The alert, shelved */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertItem"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Shelved before (`shelved` says by whom), or resolved */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    unshelve_alert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The alert's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UnshelveAlert"];
            };
        };
        responses: {
            /** @description The alert */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertItem"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is on no shelf */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_audit_log: {
        parameters: {
            query?: {
                /** @description Only those at this instant or later, RFC 3339. */
                from?: string;
                /** @description Only those before this instant, RFC 3339. */
                to?: string;
                /** @description Only those of these users, separated by commas. */
                user?: string;
                /** @description Only these actions, separated by commas. */
                action?: string;
                /** @description Only those about what these departments own, separated by commas. */
                department?: string;
                /** @description Only those with this text in user, address, action, target, before or after. */
                q?: string;
                /**
                 * @description `json`: a page; `csv` and `jsonl`: all of them, oldest first. As the header
                 *     `Accept` says if missing.
                 */
                format?: "json" | "csv" | "jsonl";
                /** @description `newest`, unless given, or `oldest` first. Exports are oldest first. */
                sort?: "newest" | "oldest";
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. An export takes all. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the log, or all of it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                    "text/csv": string;
                    "application/x-ndjson": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verify_audit_log: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was found */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditVerification"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_base_map: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The layers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BaseMap"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_base_map_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the layer with its ending */
                file: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/geo+json": string;
                    "application/octet-stream": number[];
                };
            };
            /** @description The part that was asked for */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description It has not changed */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such part */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_base_map_tile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the layer */
                layer: string;
                /** @description The zoom */
                z: number;
                /** @description The column, counted from the west */
                x: number;
                /** @description The row, counted from the north, with the ending */
                y: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The tile */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": number[];
                    "image/jpeg": number[];
                    "image/webp": number[];
                    "application/vnd.mapbox-vector-tile": number[];
                };
            };
            /** @description The part that was asked for */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": number[];
                };
            };
            /** @description It has not changed */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such part */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_cap_feed: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The feed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/atom+xml": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody speaks CAP here */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_cap_message: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The alert's id */
                alert: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The message */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/cap+xml": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_clients: {
        parameters: {
            query?: {
                /** @description Only those with this text in their name, in any case. */
                q?: string;
                /** @description `name`, unless given, or `-name`: from the last to the first. */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of clients */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClientPage"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_client: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The client's name */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The client; its ETag is of its rights, for `If-Match` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Client"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_client: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The client's name: a device's id, or its own */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Rights"];
            };
        };
        responses: {
            /** @description So it is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Client"];
                };
            };
            /** @description It is new */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Client"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is there already, and nothing says which is meant */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_client: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The client's name */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Nobody can connect with its credentials any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    bind_client_certificate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The client's name */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewCertificate"];
            };
        };
        responses: {
            /** @description It may be shown now */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Made"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_client_enabled: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The client's name */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Enabled"];
            };
        };
        responses: {
            /** @description So it is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Client"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_client_password: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The client's name */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPassword"];
            };
        };
        responses: {
            /** @description It is valid now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Made"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    issue_client_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The client's name */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewToken"];
            };
        };
        responses: {
            /** @description It is valid now */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenMade"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke_credential: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The client's name */
                id: string;
                /** @description The credential's number */
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is worthless now */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_datasets: {
        parameters: {
            query?: {
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The datasets by id */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetList"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_dataset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The dataset's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The dataset; its ETag is for `If-Match` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_dataset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The dataset's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Dataset"];
            };
        };
        responses: {
            /** @description It is so now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description It is new */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is there already, and nothing says which is meant */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_dataset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The dataset's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is forgotten */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_dead_letters: {
        parameters: {
            query?: {
                /**
                 * @description `json` for a page, which is meant unless `Accept` says otherwise; or all that matches as a
                 *     file: `csv`, `geojson`, `geojsonseq` (RFC 8142), `ndjson` or `parquet`. A file has no more rows
                 *     than `limit` if that is given.
                 */
                format?: "json" | "csv" | "geojson" | "geojsonseq" | "ndjson" | "parquet";
                /** @description Only these members of each item, or columns of the file, separated by commas. */
                fields?: string;
                /** @description `true`: CSV begins with a byte order mark, by which spreadsheet programs know UTF-8. */
                bom?: boolean;
                /**
                 * @description `false`: CSV has texts as they are. Otherwise those that a spreadsheet program would take for a
                 *     formula have an apostrophe before them.
                 */
                safe?: boolean;
                /** @description Only those with one of these reasons, separated by commas. */
                reason?: string;
                /** @description Only those that came through one of these sources, separated by commas. */
                source?: string;
                /** @description Only those of one of these devices, separated by commas. */
                device?: string;
                /** @description Only those with this text in their topic or detail, in any case. */
                q?: string;
                /** @description Only those that reached us at this instant or later, RFC 3339. */
                from?: string;
                /** @description Only those that reached us before this instant, RFC 3339. */
                to?: string;
                /** @description `newest`, unless given, or `oldest` first. */
                sort?: "newest" | "oldest";
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of dead letters */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetterPage"] | components["schemas"]["ChosenFields"];
                    "text/csv": string;
                    "application/geo+json": Record<string, never>;
                    "application/geo+json-seq": string;
                    "application/x-ndjson": string;
                    "application/vnd.apache.parquet": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_dead_letter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The dead letter's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The dead letter */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetter"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replay_dead_letter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The dead letter's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is on its way; if it still cannot be read it becomes a dead letter again */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_departments: {
        parameters: {
            query?: {
                /** @description Only those with this text in their id or name, in any case. */
                q?: string;
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The departments */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DepartmentList"];
                };
            };
            /** @description Nothing changed since the ETag that was sent */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_department: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The department's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its name; its ETag is for `If-Match` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DepartmentEntry"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_department: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The department's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DepartmentName"];
            };
        };
        responses: {
            /** @description It is called so now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DepartmentEntry"];
                };
            };
            /** @description It is new */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DepartmentEntry"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is there already, and nothing says which is meant; or the configuration names it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_department: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The department's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is forgotten */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It owns devices, or the configuration names it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    issue_client_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewDeviceTokens"];
            };
        };
        responses: {
            /** @description They are valid now */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokensMade"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_devices: {
        parameters: {
            query?: {
                /**
                 * @description `json` for a page, which is meant unless `Accept` says otherwise; or all that matches as a
                 *     file: `csv`, `geojson`, `geojsonseq` (RFC 8142), `ndjson` or `parquet`. A file has no more rows
                 *     than `limit` if that is given.
                 */
                format?: "json" | "csv" | "geojson" | "geojsonseq" | "ndjson" | "parquet";
                /** @description Only these members of each item, or columns of the file, separated by commas. */
                fields?: string;
                /** @description `true`: CSV begins with a byte order mark, by which spreadsheet programs know UTF-8. */
                bom?: boolean;
                /**
                 * @description `false`: CSV has texts as they are. Otherwise those that a spreadsheet program would take for a
                 *     formula have an apostrophe before them.
                 */
                safe?: boolean;
                /** @description Only devices that are in one of these zones now, separated by commas. */
                zone?: string;
                /** @description Only devices of these kinds, separated by commas. */
                kind?: string;
                /** @description Only these departments' devices, separated by commas. */
                department?: string;
                /** @description Only those with this text in their id or name, in any case. */
                q?: string;
                /**
                 * @description Only those with one of these statuses, separated by commas.
                 * @example late,offline
                 */
                status?: string;
                /**
                 * @description Only those in one of these stages of life, separated by commas.
                 * @example active,maintenance
                 */
                life_cycle?: string;
                /**
                 * @description The order: `id` unless given, `name`, `kind`, `department`, `last_seen_at` or
                 *     `newest_reading_at`; with `-` before it the other way round. Equals are in the order of `id`.
                 */
                sort?: "id" | "-id" | "name" | "-name" | "kind" | "-kind" | "department" | "-department" | "last_seen_at" | "-last_seen_at" | "newest_reading_at" | "-newest_reading_at";
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of devices */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DevicePage"] | components["schemas"]["ChosenFields"];
                    "text/csv": string;
                    "application/geo+json": Record<string, never>;
                    "application/geo+json-seq": string;
                    "application/x-ndjson": string;
                    "application/vnd.apache.parquet": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_devices: {
        parameters: {
            query?: {
                /** @description `json` unless given, or `csv`. */
                format?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All devices */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceEntry"][];
                    "text/csv": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    import_devices: {
        parameters: {
            query?: {
                /** @description `true`: change nothing, and say what would happen. */
                check?: boolean;
                /** @description `true`: take the devices that have no problem; otherwise all or none. */
                partial?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DeviceEntry"][];
                "text/csv": string;
            };
        };
        responses: {
            /** @description All devices are registered now, or with `check` would be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Imported"];
                };
            };
            /** @description Some devices have problems; the others are registered now, or with `check` would be */
            207: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Imported"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_device: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The device's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The device now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Device"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_device: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The device's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DeviceEntry"];
            };
        };
        responses: {
            /** @description It is so now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceEntry"];
                };
            };
            /** @description It is new */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceEntry"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is there already, and nothing says which entry is meant */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_device: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The device's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is not registered any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It has a history */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patch_device: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The device's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description It is so now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceEntry"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    send_command: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The device's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewCommand"];
            };
        };
        responses: {
            /** @description Where it went */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandSent"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_device_entry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The device's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The entry; its ETag is for `If-Match` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceEntry"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_docs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_docs_style: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The style sheet */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/css": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    push_message: {
        parameters: {
            query?: {
                /** @description The device that sends it, where neither the payload nor the credentials say so. */
                device?: string;
                /** @description The topic that it would have over MQTT, if the source's topics say more than the device. */
                topic?: string;
            };
            header?: {
                /** @description What the sender calls this message: sent again with the same key, it is stored once though its readings have no time */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The source's id */
                source: string;
            };
            cookie?: never;
        };
        /** @description The message */
        requestBody: {
            content: {
                "application/octet-stream": number[];
            };
        };
        responses: {
            /** @description All of it that could be read is durable */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PushReport"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role, or what the device may send, does not allow it */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_kinds: {
        parameters: {
            query?: {
                /** @description Only those with this text in their id or name, in any case. */
                q?: string;
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The kinds */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KindList"];
                };
            };
            /** @description Nothing changed since the ETag that was sent */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_kind: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The kind's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The template; its ETag is for `If-Match` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KindEntry"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_kind: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The kind's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KindEntry"];
            };
        };
        responses: {
            /** @description It is so now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KindEntry"];
                };
            };
            /** @description It is new */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KindEntry"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is there already, and nothing says which is meant; or the configuration describes it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_kind: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The kind's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is forgotten */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Devices are of it, or the configuration describes it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_last_values: {
        parameters: {
            query?: {
                /**
                 * @description `json` for a page, which is meant unless `Accept` says otherwise; or all that matches as a
                 *     file: `csv`, `geojson`, `geojsonseq` (RFC 8142), `ndjson` or `parquet`. A file has no more rows
                 *     than `limit` if that is given.
                 */
                format?: "json" | "csv" | "geojson" | "geojsonseq" | "ndjson" | "parquet";
                /** @description Only these members of each item, or columns of the file, separated by commas. */
                fields?: string;
                /** @description `true`: CSV begins with a byte order mark, by which spreadsheet programs know UTF-8. */
                bom?: boolean;
                /**
                 * @description `false`: CSV has texts as they are. Otherwise those that a spreadsheet program would take for a
                 *     formula have an apostrophe before them.
                 */
                safe?: boolean;
                /** @description Only devices that are in one of these zones now, separated by commas. */
                zone?: string;
                /** @description Only devices of these kinds, separated by commas. */
                kind?: string;
                /** @description Only these departments' devices, separated by commas. */
                department?: string;
                /** @description Only those of these devices, separated by commas. */
                device?: string;
                /** @description Only those of these metrics, separated by commas. */
                metric?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of last values */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LastValuePage"] | components["schemas"]["ChosenFields"];
                    "text/csv": string;
                    "application/geo+json": Record<string, never>;
                    "application/geo+json-seq": string;
                    "application/x-ndjson": string;
                    "application/vnd.apache.parquet": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_late_readings: {
        parameters: {
            query?: {
                /** @description Only those of these devices, separated by commas. */
                device?: string;
                /** @description Only those of these metrics, separated by commas. */
                metric?: string;
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The decisions, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LateReadings"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_login_methods: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How people can log in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginMethods"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_loss: {
        parameters: {
            query?: {
                /** @description `source` (unless given), `department` or `device`. */
                by?: "source" | "department" | "device";
                /** @description Only the items with these ids, separated by commas; the total stays that of all. */
                id?: string;
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The counters */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Loss"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_map: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the map that is known already */
                "If-None-Match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The map now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MapSnapshot"];
                };
            };
            /** @description It is the map that is known already */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_mappings: {
        parameters: {
            query?: {
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The mappings */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MappingList"];
                };
            };
            /** @description Nothing changed since the ETag that was sent */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_mapping: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Mapping"];
            };
        };
        responses: {
            /** @description It means that now */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The mappings are not as you saw them */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_mapping: {
        parameters: {
            query: {
                /** @description The name as it is sent. */
                name: string;
                /** @description The source; without it the mapping that is for every source. */
                source?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The name stands for itself again */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody said what it means */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The mappings are not as you saw them */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_metric_uses: {
        parameters: {
            query?: {
                /** @description `true`: only names that wait to be mapped; `false`: only the catalogue. */
                unmapped?: boolean;
                /** @description Only those with this text in their id or name, in any case. */
                q?: string;
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricUseList"];
                };
            };
            /** @description Nothing changed since the ETag that was sent */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_metrics: {
        parameters: {
            query?: {
                /** @description Only those with this text in their id or name, in any case. */
                q?: string;
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The catalogue */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricList"];
                };
            };
            /** @description Nothing changed since the ETag that was sent */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The OpenAPI 3.1 document */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_unknown_devices: {
        parameters: {
            query?: {
                /** @description `true`: only those that somebody ignored; `false`: only the others, as if nothing is given. */
                ignored?: boolean;
                /** @description Only those that came through one of these sources, separated by commas. */
                source?: string;
                /** @description Only those with this text in their id, in any case. */
                q?: string;
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of unknown devices */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownPage"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    accept_unknown_device: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The device's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AcceptDevice"];
            };
        };
        responses: {
            /** @description It is registered */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ignore_unknown_device: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The device's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Ignore"];
            };
        };
        responses: {
            /** @description So it is */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_readings: {
        parameters: {
            query: {
                /** @description The device's id. */
                device: string;
                /** @description The metric's id. */
                metric: string;
                /** @description The first instant, RFC 3339; six hours before `to` unless given. */
                from?: string;
                /** @description The first instant after the range, RFC 3339; now unless given. */
                to?: string;
                /**
                 * @description The width of the steps: seconds, `1m`, `15m`, `1h`, or `raw`. Without it every reading if
                 *     there are at most 5,000, else steps that fit a chart.
                 */
                step?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The readings */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readings"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_readings: {
        parameters: {
            query: {
                /** @description The devices' ids, separated by commas; at most 100. */
                device: string;
                /**
                 * @description Only those of these metrics, separated by commas; all of them, and where the device was, unless
                 *     given.
                 */
                metric?: string;
                /** @description The first instant by event time, RFC 3339. */
                from: string;
                /** @description The first instant after the range, RFC 3339. */
                to: string;
                /** @description How many readings are to go, as the same call without this said. Without it nothing is deleted. */
                expect?: number;
                /** @description Why, 1 to 2,000 characters; needed to delete. */
                why?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They are gone, or how many there are */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedReadings"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is another number of readings now (`readings` says it) */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no reason */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_readings: {
        parameters: {
            query: {
                /**
                 * @description `json` for a page, which is meant unless `Accept` says otherwise; or all that matches as a
                 *     file: `csv`, `geojson`, `geojsonseq` (RFC 8142), `ndjson` or `parquet`. A file has no more rows
                 *     than `limit` if that is given.
                 */
                format?: "json" | "csv" | "geojson" | "geojsonseq" | "ndjson" | "parquet";
                /** @description Only these members of each item, or columns of the file, separated by commas. */
                fields?: string;
                /** @description `true`: CSV begins with a byte order mark, by which spreadsheet programs know UTF-8. */
                bom?: boolean;
                /**
                 * @description `false`: CSV has texts as they are. Otherwise those that a spreadsheet program would take for a
                 *     formula have an apostrophe before them.
                 */
                safe?: boolean;
                /** @description Only devices that are in one of these zones now, separated by commas. */
                zone?: string;
                /** @description Only devices of these kinds, separated by commas. */
                kind?: string;
                /** @description Only these departments' devices, separated by commas. */
                department?: string;
                /** @description Only those of these devices, separated by commas. */
                device?: string;
                /** @description Only those of these metrics, separated by commas. With one, the header of CSV says its unit. */
                metric?: string;
                /** @description The first instant, RFC 3339. */
                from: string;
                /** @description The first instant after the range, RFC 3339; now unless given. */
                to?: string;
                /** @description The width of the steps: seconds, `1m`, `15m` or `1h`; every reading unless given, or `raw`. */
                step?: string;
                /** @description How many rows at most; all unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The readings, as a file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                    "application/geo+json": Record<string, never>;
                    "application/geo+json-seq": string;
                    "application/x-ndjson": string;
                    "application/vnd.apache.parquet": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_series_readings: {
        parameters: {
            query?: {
                /** @description Only devices that are in one of these zones now, separated by commas. */
                zone?: string;
                /** @description Only devices of these kinds, separated by commas. */
                kind?: string;
                /** @description Only these departments' devices, separated by commas. */
                department?: string;
                /** @description Only those of these devices, separated by commas. */
                device?: string;
                /** @description Only those of these metrics, separated by commas. */
                metric?: string;
                /** @description The first instant, RFC 3339; six hours before `to` unless given. */
                from?: string;
                /** @description The first instant after the range, RFC 3339; now unless given. */
                to?: string;
                /**
                 * @description The width of the steps: seconds, `1m`, `15m`, `1h`, or `raw`. Without it every reading of a
                 *     series if there are at most 5,000, else steps that fit a chart.
                 */
                step?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many series at most, 1 to 100; 20 unless given. A page may hold fewer. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of histories */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SeriesPage"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_receivers: {
        parameters: {
            query?: {
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The receivers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiverList"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    test_receiver: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The receiver's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What came of it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiverTrial"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is this program itself */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_ingest_report: {
        parameters: {
            query?: {
                /** @description The day in the city's calendar; today unless given. */
                date?: string;
                /** @description `source` (unless given), `department` or `device`. */
                by?: "source" | "department" | "device";
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The books of the day */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IngestReport"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are none of this day */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_rule_groups: {
        parameters: {
            query?: {
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The groups by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleGroupList"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_rule_group: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The group's name */
                group: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The group; its ETag is for `If-Match` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleGroupText"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_rule_group: {
        parameters: {
            query?: {
                /** @description `true` only tells what is wrong with it, and what it would do. */
                check?: boolean;
            };
            header?: never;
            path: {
                /** @description The group's name */
                group: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRuleGroup"];
            };
        };
        responses: {
            /** @description It is so now, or could be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleGroupChange"];
                };
            };
            /** @description It is new */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleGroupChange"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is there already, and nothing says which is meant; or it lives in files */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The rules have problems (`problems` lists them) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_rule_group: {
        parameters: {
            query?: {
                /** @description Why; needed unless it is only tried. It stays in the history. */
                why?: string;
                /** @description `true` only tells what it would do. */
                check?: boolean;
            };
            header?: never;
            path: {
                /** @description The group's name */
                group: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is deleted, or could be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleGroupChange"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It lives in files */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nothing says why */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_rule_group_versions: {
        parameters: {
            query?: {
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The group's name */
                group: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of versions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleGroupHistory"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_rule_group_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The group's name */
                group: string;
                /** @description The number of the version */
                version: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The version */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleGroupVersionText"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restore_rule_group_version: {
        parameters: {
            query?: {
                /** @description `true` only tells what is wrong with it, and what it would do. */
                check?: boolean;
            };
            header?: never;
            path: {
                /** @description The group's name */
                group: string;
                /** @description The number of the version */
                version: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RuleGroupRestoration"];
            };
        };
        responses: {
            /** @description It is so now, or could be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleGroupChange"];
                };
            };
            /** @description The group is back */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleGroupChange"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is there already, and nothing says which is meant; or it lives in files */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The rules have problems (`problems` lists them) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_rules: {
        parameters: {
            query?: {
                /** @description Only those of these groups, separated by commas. */
                group?: string;
                /** @description Only those of these kinds, such as `threshold`, separated by commas. */
                kind?: string;
                /** @description Only those that these departments own, separated by commas. */
                department?: string;
                /** @description Only those with this text in their id or name, in any case. */
                q?: string;
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rules in force */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleList"];
                };
            };
            /** @description Nothing changed since the ETag that was sent */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    backtest_rules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewBacktest"];
            };
        };
        responses: {
            /** @description What would have happened */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backtest"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `only` names a rule that is not there */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The rules have problems (`problems` lists them) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    check_rules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RuleFiles"];
            };
        };
        responses: {
            /** @description What is wrong with them, if anything is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleCheck"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reload_rules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rules in force now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleReload"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The rules stay as they are (`problems` lists why) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    test_rules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRuleTest"];
            };
        };
        responses: {
            /** @description What came of them */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleTestReport"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The rule's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rule */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rule"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    explain_rule: {
        parameters: {
            query: {
                /**
                 * @description What the alert would be about: a device and a metric as `device/metric`, a device, or a zone,
                 *     each by its id. Where a rule selects one metric, the device alone will do.
                 */
                subject: string;
                /** @description At which instant, RFC 3339; now unless given. */
                at?: string;
                /** @description How many steps at most, the newest ones, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The rule's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Why */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleExplanation"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Who is logged in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    log_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Login"];
            };
        };
        responses: {
            /** @description Logged in; the cookie is set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A page of another site made the request, or who came from the identity provider may do nothing here */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no identity provider */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The identity provider does not answer */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    log_out: {
        parameters: {
            query?: {
                /** @description `true`: all sessions of the user end, on other computers too. */
                everywhere?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Logged out */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    leave_for_provider: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where to go; the cookie is set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Leave"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A page of another site made the request */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no identity provider */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The identity provider does not answer */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePassword"];
            };
        };
        responses: {
            /** @description Changed; the cookie of a new session is set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is no session of a user with a password */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong passwords */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_up: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FirstAdmin"];
            };
        };
        responses: {
            /** @description It is done; the cookie of a session is set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A page of another site made the request */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is an administrator already */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_silences: {
        parameters: {
            query?: {
                /** @description Only those in this state now. */
                state?: "pending" | "active" | "expired";
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of silences */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SilencePage"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_silence: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSilence"];
            };
        };
        responses: {
            /** @description The silence */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Silence"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_silence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The silence's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The silence; its ETag is for `If-Match` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Silence"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    end_silence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The silence's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndSilence"];
            };
        };
        responses: {
            /** @description The silence, over */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Silence"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is over already */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    follow_stream: {
        parameters: {
            query?: {
                /** @description Only devices and alerts in these zones, separated by commas. */
                zone?: string;
                /** @description Only devices of these kinds and their alerts, separated by commas. */
                kind?: string;
                /** @description Values of these devices too, separated by commas; at most 100. */
                device?: string;
                /** @description Whether to send values of all devices; `true` or `1`. */
                values?: boolean;
                /**
                 * @description Only these events, separated by commas: `map`, `values`, `alert`, `system`. `hello` and
                 *     `resync` always come.
                 */
                events?: string;
                /** @description The `cursor` of `/map` or `hello`: events follow from there. `Last-Event-ID` goes before. */
                after?: string;
                /**
                 * @description End after so many events, `hello` and heartbeats among them: 1 to 1,000. Without it the
                 *     stream goes on.
                 */
                limit?: number;
            };
            header?: {
                /** @description Where to go on */
                "Last-Event-ID"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["StreamEvent"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_system: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The system now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["System"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_tokens: {
        parameters: {
            query?: {
                /** @description `true`: only those that are valid now; `false`: only the others. */
                valid?: boolean;
                /** @description Only those with this text in their user or note, in any case. */
                q?: string;
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of access tokens */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessTokenPage"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    make_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAccessToken"];
            };
        };
        responses: {
            /** @description It is valid now */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessTokenMade"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is worthless now */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The program made it for itself */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_top: {
        parameters: {
            query: {
                /** @description Only devices that are in one of these zones now, separated by commas. */
                zone?: string;
                /** @description Only devices of these kinds, separated by commas. */
                kind?: string;
                /** @description Only these departments' devices, separated by commas. */
                department?: string;
                /** @description The metric's id. */
                metric: string;
                /** @description The first instant, RFC 3339; an hour before `to` unless given. */
                from?: string;
                /** @description The first instant after the range, RFC 3339; now unless given. */
                to?: string;
                /** @description What decides: `mean` unless given; the highest is first, of `min` the lowest. */
                by?: "mean" | "max" | "min" | "last" | "sum" | "count";
                /** @description How many devices at most, 1 to 1,000; 10 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The devices that stand first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Top"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_track: {
        parameters: {
            query: {
                /** @description The device's id. */
                device: string;
                /** @description The first instant, RFC 3339; six hours before `to` unless given. */
                from?: string;
                /** @description The first instant after the range, RFC 3339; now unless given. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The track */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/geo+json": components["schemas"]["Track"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_users: {
        parameters: {
            query?: {
                /** @description Only those with a grant in one of these departments, separated by commas; `*` for the whole city. */
                department?: string;
                /** @description Only those with this text in their id or name, in any case. */
                q?: string;
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; 100 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of users */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserPage"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user; the ETag is for `If-Match` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user's id: small letters, digits and `.-_@+` */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserEntry"];
            };
        };
        responses: {
            /** @description So it is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description The user is new */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There already, and nothing says which entry is meant; or the last administrator */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the right shape */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Forgotten */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The last administrator */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not as you saw it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    end_user_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Logged out */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_zones: {
        parameters: {
            query?: {
                /** @description Only those of these layers, separated by commas. */
                layer?: string;
                /** @description Only those with this text in their id or name, in any case. */
                q?: string;
                /**
                 * @description A member of the items to sort them by, with `-` before it from the greatest down. What has
                 *     none counts as least; equals are in the order of their ids.
                 * @example -id
                 */
                sort?: string;
                /** @description Where to go on, from `next_cursor`. */
                cursor?: string;
                /** @description How many at most, 1 to 1,000; all of them unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The zones */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/geo+json": components["schemas"]["ZoneCollection"];
                };
            };
            /** @description Nothing changed since the ETag that was sent */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reload_zones: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The zones in force now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ZoneReload"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The zones stay as they are */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_zone: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The zone's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The zone now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ZoneDetail"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_open_catalogue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All public datasets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenCatalogue"];
                    "text/html": string;
                    "application/ld+json": unknown;
                    "text/turtle": string;
                };
            };
            /** @description It is as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_open_catalogue_json_ld: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The catalogue */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/ld+json": unknown;
                };
            };
            /** @description It is as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_open_catalogue_turtle: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The catalogue */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/turtle": string;
                };
            };
            /** @description It is as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_open_dataset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The dataset's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The dataset */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenDataset"];
                    "text/html": string;
                };
            };
            /** @description It is as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_open_readings_csv: {
        parameters: {
            query?: {
                /** @description The first instant, RFC 3339; a day before `to` unless given. */
                from?: string;
                /** @description The first instant after the range, RFC 3339; now unless given. At most 31 days after `from`. */
                to?: string;
                /** @description Only these metrics, separated by commas. */
                metric?: string;
                /** @description Only these devices, separated by commas. */
                device?: string;
                /** @description The width of steps: seconds, `15m`, `1h`; every reading unless given. */
                step?: string;
                /** @description Where to go on, from `next_cursor` or the `Link` header. */
                cursor?: string;
                /** @description How many rows at most, 1 to 10,000; 10,000 unless given. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The dataset's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of readings */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_open_readings: {
        parameters: {
            query?: {
                /** @description The first instant, RFC 3339; a day before `to` unless given. */
                from?: string;
                /** @description The first instant after the range, RFC 3339; now unless given. At most 31 days after `from`. */
                to?: string;
                /** @description Only these metrics, separated by commas. */
                metric?: string;
                /** @description Only these devices, separated by commas. */
                device?: string;
                /** @description The width of steps: seconds, `15m`, `1h`; every reading unless given. */
                step?: string;
                /** @description Where to go on, from `next_cursor` or the `Link` header. */
                cursor?: string;
                /** @description How many rows at most, 1 to 10,000; 10,000 unless given. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The dataset's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of readings */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenReadingPage"];
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_open_day: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The dataset's id */
                id: string;
                /** @description The day, such as 2026-11-28.csv */
                day: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The readings of the day */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_open_table: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The dataset's id */
                id: string;
                /** @description Which rows and which format */
                file: "devices.json" | "devices.csv" | "devices.geojson" | "latest.json" | "latest.csv" | "latest.geojson";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The table */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenRows"];
                    "text/csv": string;
                    "application/geo+json": unknown;
                };
            };
            /** @description It is as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_open_style: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The style sheet */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/css": string;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_sensor_things: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sets of entities, and the requirements that are met */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_sensor_things_resource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A set or an entity, such as `Things('air-1')` */
                resource: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What is there */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description A property that has no value */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is unknown, missing, repeated or cannot be read */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nobody is logged in, or the session or token has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The role does not allow it, or the CSRF header is missing */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many failed logins; `Retry-After` says when to come back */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something failed inside; the server's log says what */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The store does not answer, or too much is going on; try again later */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
