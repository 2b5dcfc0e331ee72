export const spanish = {
  language: "es",
  locale: "es-US",
  app: "Cuadrilla",
  tabs: { today: "Hoy", events: "Salidas", week: "Mi semana", hours: "Horas" },
  loading: "Un momento, estamos trayendo su plan.",
  days: { today: "Hoy", tomorrow: "Mañana" },
  skip: "Ir al contenido",
  sections: "Secciones",
  day: "Día",

  bar: {
    live: "En vivo", polling: "En línea", connecting: "Conectando", offline: "Sin red",
    "no-member": "Esta cuenta no está en la lista del personal",
    asOf: "Plan: {time}", never: "Todavía no hay plan en este teléfono",
  },
  storage: {
    title: "Este teléfono no puede guardar su plan", text: "El navegador dice: {reason}",
    help: "No use una ventana privada, libere espacio en el teléfono y vuelva a abrir esta página.",
    office: "Mientras tanto, llame a la oficina: ahí le dicen su plan y anotan lo que hizo.", again: "Intentar otra vez",
  },
  waiting: { one: "1 en espera", other: "{count} en espera" },
  problems: { one: "1 por resolver", other: "{count} por resolver" },

  signIn: {
    title: "Entre para ver su plan",
    text: "Le enviamos un enlace a su teléfono. Ábralo aquí, en este teléfono.",
    again: "Su sesión en este teléfono terminó", first: "Aún no ha entrado",
    kept: "Lo que hizo está a salvo en este teléfono. Se envía en cuanto vuelva a entrar. ¿No puede? Llame a la oficina.",
    button: "Recibir un enlace para entrar", board: "Ir al tablero",
    noMember: "Usted entró a la oficina con una cuenta que no es de nadie de las cuadrillas, así que no hay plan para ella.",
  },

  statuses: {
    requested: "Solicitado", scheduled: "Programado", ready_for_pickup: "Listo para recoger", en_route: "En camino",
    in_progress: "En curso", completed: "Terminado", cancelled: "Cancelado",
  },
  moves: { en_route: "En camino", in_progress: "Empezar a cargar", completed: "Terminado" },
  services: {
    junk_removal: "Retiro de escombros", dumpster_delivery: "Entrega de contenedor", dumpster_pickup: "Retiro de contenedor",
  },
  roles: { captain: "Capitán", first_mate: "Ayudante" },
  kinds: { before: "Antes", after: "Después", ticket: "Boleta", access: "Sin acceso" },

  today: {
    none: "Hoy no tiene nada planeado.", noneTomorrow: "Mañana no tiene nada planeado.",
    jobsMissing: "Los trabajos de este día aún no están en este teléfono.", dayMissing: "Este día aún no está en este teléfono.",
    look: "Ver salidas abiertas", allDone: "Todo está hecho. ¡Gracias!", noJobs: "Aún no hay trabajos. Aparecerán aquí.",
    progress: "{done} de {all} hechos", later: "Los trabajos en orden",
  },
  job: {
    call: "Llamar", text: "Mensaje", navigate: "Ir allá", access: "Cómo entrar", notes: "Notas", anyTime: "Cualquier hora",
    load: "{load} camión", place: "Parada {place}", noPhone: "Sin número de teléfono",
    waiting: "Esperando envío", noAccess: "Sin acceso", reported: "Se avisó «sin acceso»",
    note: "Nota", photos: "Fotos", noNext: "La oficina da el próximo paso.", over: "Este trabajo terminó.",
    unsent: "De usted, esperando envío",
  },
  ask: {
    cancel: "Cancelar", note: "Una nota para la oficina", noteText: "¿Qué deben saber?", send: "Guardar nota",
    noAccess: "Sin acceso", why: "¿Qué lo impide?", more: "Más detalles para la oficina (opcional)", report: "Avisar que no hay acceso",
    photo: "Foto de ello (opcional)", photoTaken: "Foto tomada", empty: "Por favor escriba algo.",
    left: { one: "Queda 1 carácter", other: "Quedan {count} caracteres" },
    pick: "Por favor elija qué lo impide.",
    release: "¿Devolver este lugar?", releaseText: "Así otra persona puede tomarlo.", giveBack: "Devolverlo",
    releaseLate: "Ya es tarde para devolverlo usted mismo. La oficina decide; diga por qué.", asking: "Pedir a la oficina",
    signOut: "¿Salir en este teléfono?", signOutText: "El plan se borra de este teléfono.",
    signOutOffice: "También se cerrará aquí la sesión de la cuenta de la oficina.",
    signOutWaiting: "{waiting}: esto queda en el teléfono y se envía cuando vuelva a entrar.", signOutGo: "Salir",
  },
  reasons: {
    nobody: "No hay nadie", locked: "El portón o la puerta está con llave", blocked: "El camión no puede entrar",
    wrong: "Dirección equivocada", unsafe: "No es seguro", other: "Otra cosa",
  },

  events: {
    none: "No hay salidas en las próximas dos semanas.", claim: "Tomar este lugar", claiming: "Un momento…", yours: "Usted va",
    release: "Devolverlo", askRelease: "Pedir que me liberen", asked: "Usted pidió que lo liberen. La oficina decide.",
    takenBy: "Lo tomó {name} {ago}", taken: "Tomado", free: { one: "1 lugar libre", other: "{count} lugares libres" },
    places: "Ayudantes", captains: "Capitanes", nobody: "nadie todavía", offline: "Hace falta red: el primero se lo queda.",
    cancelled: "Cancelada", over: "Terminada", you: "usted", jobs: { one: "1 trabajo", other: "{count} trabajos" },
    claimed: "Es suyo.", released: "Lo devolvió.", releaseSent: "La oficina tiene su pedido.",
  },
  week: { none: "No va en ninguna salida en los próximos siete días." },
  hours: {
    in: "Marcar entrada", out: "Marcar salida", since: "Desde {time}", off: "No está en horario", on: "Está en horario",
    phone: "Este teléfono", signedIn: "Entró como {name}", signOut: "Salir", board: "Las horas son {zone}.",
    phones: "Mis teléfonos", office: "Llamar a la oficina", needsNetwork: "Para salir hace falta red.",
    kept: "Nada se pierde al cerrar esta página: lo que espera se envía después.",
  },

  queue: {
    title: "Esperando envío", none: "Todo está enviado.", back: "Volver", sendNow: "Enviar ahora", at: "a las {time}",
    offline: "Se envía solo cuando haya red.", discard: "Descartar lo mío", keep: "Hacerlo igual", dismiss: "Entendido",
    conflict: "Alguien se adelantó. El trabajo está ahora: {status}.", refused: "La oficina no lo aceptó.",
    trying: "Aún no se envió, intentando otra vez.", stays: "Espera al de arriba.",
    move: "{what}", note: "Nota: {text}", no_access: "Sin acceso: {text}", photo: "Foto: {what}", in: "Entrada", out: "Salida",
    moved: "{who} lo pasó a «{to}» {ago}", because: "Motivo: {reason}", save: "Guardar en este teléfono",
  },
  lost: {
    cancelled: "{who} canceló {event} {ago}", given: "{who} le dio este trabajo a {to} {ago}",
    taken_out: "{who} sacó este trabajo de {event} {ago}", taken_off: "{who} le quitó a usted su lugar en {event} {ago}",
    given_back: "Usted devolvió su lugar en {event} {ago}",
  },
  somebody: "Alguien",
  othersWait: {
    one: "1 espera a {name}, que tiene que entrar en este teléfono.",
    other: "{count} esperan a {name}, que tiene que entrar en este teléfono.",
  },
  ofOthers: { one: "1 de otra persona", other: "{count} de otras personas" },
  somebodyElse: "otra persona",

  told: {
    noRoom: "Este teléfono no tiene espacio, así que esto no se guardó. Libere espacio e intente otra vez.",
    unreachable: "Sin red. Intente cuando esté en línea.", error: "El servidor respondió con un error ({status}).",
    kept: "Guardado. Se envía cuando haya red.", dismiss: "Cerrar",
    noPhoto: "Esto no es una foto que se pueda leer, así que no se guardó. Tome otra.",
    tooLarge: "Esta foto tiene más de {most} MB y no se puede enviar, así que no se guardó. Tome una más pequeña.",
  },
  ago: { now: "ahora mismo", seconds: "hace {n} s", minutes: "hace {n} min", hours: "hace {n} h", days: "hace {n} d" },
  planned: "Planeado para {when}",
  elapsed: "{hours} h {minutes} min",
  noon: { AM: "a. m.", PM: "p. m." },
};
