"""Firmware we did not write: ST's HAL, start-up and project boot on the twin and say the right thing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.errors import ToolchainError
from hil.twin import StopReason, Twin, load_image
from hil_tests.twin import firmware
from hil_tests.twin.cube import Cube

pytestmark = pytest.mark.twin

STANDBY_WAKE_S = 308e-6


@pytest.fixture(scope="session")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Cube:
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    try:
        return Cube(tmp_path_factory.mktemp("cube"))
    except ToolchainError as error:
        pytest.skip(str(error))


@pytest.fixture
def boot(cube: Cube) -> Callable[..., Twin]:
    return lambda source, **options: Twin(load_image(cube.build(source)), **options)


def said(twin: Twin, until_s: float, number: int = 1) -> str:
    """What the port says until `until_s`."""
    twin.run(until_s)
    return twin.uart(number).take_bytes().decode()


Start = Callable[..., Twin]

HELLO = r"""
int main(void) {
    board_on();
    char line[80];
    uint32_t from = HAL_GetTick();
    HAL_Delay(10);
    snprintf(line, sizeof line, "%lu MHz %lu %lu, %lu ms, dev %lx rev %lx\n", HAL_RCC_GetSysClockFreq() /
        1000000, HAL_RCC_GetPCLK1Freq() / 1000000, HAL_RCC_GetPCLK2Freq() / 1000000,
        HAL_GetTick() - from, HAL_GetDEVID(), HAL_GetREVID());
    say(line);
    snprintf(line, sizeof line, "%lx %lu KB package %lx\n", HAL_GetUIDw0(), LL_GetFlashSize(),
        LL_GetPackageType());
    say(line);
    for (;;) {
        uint8_t byte;
        if (HAL_UART_Receive(&uart, &byte, 1, HAL_MAX_DELAY) == HAL_OK) {
            byte ^= 0x20;
            HAL_UART_Transmit(&uart, &byte, 1, 10);
        }
    }
}
"""


@pytest.mark.parametrize("timing", ["instructions", "cycles"])
def test_hal_reaches_216_mhz_and_polls_the_uart(boot: Start, timing: str) -> None:
    twin = boot(HELLO, timing=timing)
    text = said(twin, 0.025)
    uid = int.from_bytes(b"hil-", "little")
    assert text == f"216 MHz 54 108, 11 ms, dev 449 rev 1001\n{uid:x} 1024 KB package 700\n"
    twin.uart(1).feed(b"polled")
    assert said(twin, 0.028) == "POLLED"
    assert twin.warnings == []


INTERRUPTS = r"""
static uint8_t in[4], out[5] = {'<', 0, 0, 0, '>'};
void USART1_IRQHandler(void) { HAL_UART_IRQHandler(&uart); }
void HAL_UART_RxCpltCallback(UART_HandleTypeDef *u) {
    memcpy(out + 1, in, 3);
    check(HAL_UART_Transmit_IT(u, out, 5));
    check(HAL_UART_Receive_IT(u, in, 3));
}
int main(void) {
    board_on();
    HAL_NVIC_SetPriority(USART1_IRQn, 5, 0);
    HAL_NVIC_EnableIRQ(USART1_IRQn);
    check(HAL_UART_Receive_IT(&uart, in, 3));
    for (;;) __WFI();
}
"""


def test_hal_receives_and_sends_by_interrupt(boot: Start) -> None:
    twin = boot(INTERRUPTS)
    twin.run(0.01)
    for text in ("abc", "def"):
        twin.uart(1).feed(text.encode())
        assert said(twin, twin.now_s + 0.01) == f"<{text}>"


DMA = r"""
static DMA_HandleTypeDef rx, tx;
static uint8_t in[64] __attribute__((aligned(32))), out[64] __attribute__((aligned(32)));
static volatile uint16_t got;
void USART1_IRQHandler(void) { HAL_UART_IRQHandler(&uart); }
void DMA2_Stream2_IRQHandler(void) { HAL_DMA_IRQHandler(&rx); }
void DMA2_Stream7_IRQHandler(void) { HAL_DMA_IRQHandler(&tx); }
void HAL_UARTEx_RxEventCallback(UART_HandleTypeDef *u, uint16_t size) { got = size; }
static void stream(DMA_HandleTypeDef *dma, DMA_Stream_TypeDef *at, uint32_t direction, uint32_t mode) {
    dma->Instance = at;
    dma->Init = (DMA_InitTypeDef){.Channel = DMA_CHANNEL_4, .Direction = direction,
        .MemInc = DMA_MINC_ENABLE, .Mode = mode, .Priority = DMA_PRIORITY_HIGH};
    check(HAL_DMA_Init(dma));
}
int main(void) {
    board_on();
    __HAL_RCC_DMA2_CLK_ENABLE();
    stream(&rx, DMA2_Stream2, DMA_PERIPH_TO_MEMORY, DMA_NORMAL);
    stream(&tx, DMA2_Stream7, DMA_MEMORY_TO_PERIPH, DMA_NORMAL);
    __HAL_LINKDMA(&uart, hdmarx, rx);
    __HAL_LINKDMA(&uart, hdmatx, tx);
    HAL_NVIC_EnableIRQ(USART1_IRQn);
    HAL_NVIC_EnableIRQ(DMA2_Stream2_IRQn);
    HAL_NVIC_EnableIRQ(DMA2_Stream7_IRQn);
    for (;;) {
        got = 0;
        check(HAL_UARTEx_ReceiveToIdle_DMA(&uart, in, sizeof in));
        __HAL_DMA_DISABLE_IT(&rx, DMA_IT_HT);
        while (!got) {}
        SCB_InvalidateDCache_by_Addr((uint32_t *)in, sizeof in);
        for (int i = 0; i < got; i++) out[i] = in[got - 1 - i];
        SCB_CleanDCache_by_Addr((uint32_t *)out, sizeof out);
        check(HAL_UART_Transmit_DMA(&uart, out, got));
        while (uart.gState != HAL_UART_STATE_READY) {}
    }
}
"""


def test_hal_receives_to_idle_and_sends_by_dma(boot: Start) -> None:
    twin = boot(DMA)
    twin.run(0.01)
    for text in ("stressed", "a", "x" * 64):
        twin.uart(1).feed(text.encode())
        assert said(twin, twin.now_s + 0.02) == text[::-1]


BUTTON = r"""
static volatile int edges;
void EXTI15_10_IRQHandler(void) { HAL_GPIO_EXTI_IRQHandler(GPIO_PIN_11); }
void HAL_GPIO_EXTI_Callback(uint16_t number) { edges += number == GPIO_PIN_11; }
int main(void) {
    board_on();
    __HAL_RCC_GPIOI_CLK_ENABLE();
    __HAL_RCC_GPIOK_CLK_ENABLE();
    GPIO_InitTypeDef init = {.Pin = GPIO_PIN_11, .Mode = GPIO_MODE_IT_RISING_FALLING};
    HAL_GPIO_Init(GPIOI, &init);
    init = (GPIO_InitTypeDef){.Pin = GPIO_PIN_3, .Mode = GPIO_MODE_OUTPUT_PP};
    HAL_GPIO_Init(GPIOK, &init);
    HAL_NVIC_EnableIRQ(EXTI15_10_IRQn);
    say(HAL_GPIO_LockPin(GPIOI, GPIO_PIN_11) == HAL_OK ? "locked\n" : "open\n");
    for (int seen = 0;;) {
        __WFI();
        if (seen != edges) {
            seen = edges;
            HAL_GPIO_TogglePin(GPIOK, GPIO_PIN_3);
            say(HAL_GPIO_ReadPin(GPIOI, GPIO_PIN_11) ? "down\n" : "up\n");
        }
    }
}
"""


def test_hal_sees_a_button_that_the_host_presses(boot: Start) -> None:
    twin = boot(BUTTON)
    assert said(twin, 0.01) == "locked\n"
    button, led = twin.gpio("I"), twin.gpio("K")
    for level in (True, False, True):
        button.drive(11, level)
        assert said(twin, twin.now_s + 0.01) == ("down\n" if level else "up\n")
    assert led.level >> 3 & 1 == 1


RTC_BY_LSE = r"""
/* The wheel has no RTC driver: the same steps as HAL_RTCEx_SetWakeUpTimer_IT, on the registers. */
static void rtc_on(void) {
    RCC_OscInitTypeDef osc = {.OscillatorType = RCC_OSCILLATORTYPE_LSE, .LSEState = RCC_LSE_ON};
    RCC_PeriphCLKInitTypeDef clk = {.PeriphClockSelection = RCC_PERIPHCLK_RTC,
        .RTCClockSelection = RCC_RTCCLKSOURCE_LSE};
    HAL_PWR_EnableBkUpAccess();
    check(HAL_RCC_OscConfig(&osc));
    check(HAL_RCCEx_PeriphCLKConfig(&clk));
    __HAL_RCC_RTC_ENABLE();
}
static void wake_every(uint32_t ms) {
    RTC->WPR = 0xCA;
    RTC->WPR = 0x53;
    RTC->CR &= ~(RTC_CR_WUTE | RTC_CR_WUTIE);
    while (!(RTC->ISR & RTC_ISR_WUTWF)) {}
    RTC->WUTR = ms * 2048 / 1000 - 1;
    RTC->ISR = ~(RTC_ISR_WUTF | RTC_ISR_INIT) | (RTC->ISR & RTC_ISR_INIT);
    RTC->CR |= RTC_CR_WUTE | RTC_CR_WUTIE;
    RTC->WPR = 0xFF;
    EXTI->IMR |= EXTI_IMR_MR22;
    EXTI->RTSR |= EXTI_RTSR_TR22;
}
"""
STOP = (
    RTC_BY_LSE
    + r"""
static volatile int wakes;
void RTC_WKUP_IRQHandler(void) {
    RTC->ISR = ~(RTC_ISR_WUTF | RTC_ISR_INIT);
    EXTI->PR = EXTI_PR_PR22;
    wakes++;
}
int main(void) {
    board_on();
    rtc_on();
    HAL_NVIC_EnableIRQ(RTC_WKUP_IRQn);
    wake_every(125);
    say("stop\n");
    for (;;) {
        uint32_t tick = HAL_GetTick();
        HAL_SuspendTick();
        HAL_PWR_EnterSTOPMode(PWR_LOWPOWERREGULATOR_ON, PWR_STOPENTRY_WFI);
        int on_hsi = __HAL_RCC_GET_SYSCLK_SOURCE() == RCC_SYSCLKSOURCE_STATUS_HSI;
        HAL_ResumeTick();
        clock_216();
        char line[64];
        snprintf(line, sizeof line, "wake %d hsi %d ticks %lu\n", wakes, on_hsi, HAL_GetTick() - tick);
        say(line);
    }
}
"""
)


def test_hal_stop_mode_is_woken_by_the_rtc_and_comes_back_on_hsi(boot: Start) -> None:
    twin = boot(STOP)
    stopped_cycles = twin.sleep_cycles
    lines = said(twin, 1.01).splitlines()
    assert lines[0] == "stop"
    assert lines[1:] == [f"wake {n} hsi 1 ticks {line[-1]}" for n, line in enumerate(lines[1:], start=1)]
    assert all(int(line.split()[-1]) <= 3 for line in lines[1:])
    assert len(lines) == 9
    # Clocks that stand still count no cycles: a second of sleep at 216 MHz would be 200 million.
    assert twin.sleep_cycles - stopped_cycles < 10_000_000
    assert twin.warnings == []


STANDBY = (
    RTC_BY_LSE
    + r"""
int main(void) {
    board_on();
    rtc_on();
    char line[64];
    uint32_t standby = __HAL_PWR_GET_FLAG(PWR_FLAG_SB) != 0;
    uint32_t pin = (PWR->CSR2 & PWR_CSR2_WUPF1) != 0;
    snprintf(line, sizeof line, "boot %lu standby %lu pin %lu\n", ++RTC->BKP3R, standby, pin);
    say(line);
    __HAL_PWR_CLEAR_FLAG(PWR_FLAG_SB);
    __HAL_PWR_CLEAR_WAKEUP_FLAG(PWR_WAKEUP_PIN_FLAG1);
    HAL_PWR_EnableWakeUpPin(PWR_WAKEUP_PIN1_HIGH);
    HAL_PWREx_EnableFlashPowerDown();
    wake_every(500);
    PWR->CSR1 |= PWR_CSR1_EIWUP;
    HAL_PWR_EnterSTANDBYMode();
    say("awake without a reset\n");
}
"""
)


def test_hal_standby_is_left_by_a_reset_that_keeps_the_backup_domain(boot: Start) -> None:
    twin = boot(STANDBY)
    stop = twin.run(0.9)
    assert (stop.reason, stop.detail) == (StopReason.RESET, "wake-up from Standby")
    assert stop.now_s == pytest.approx(0.5 + STANDBY_WAKE_S, abs=0.01)
    assert said(twin, 0.9) == "boot 1 standby 0 pin 0\nboot 2 standby 1 pin 0\n"
    twin.gpio("A").drive(0, True)
    assert twin.run(0.95).reason is StopReason.RESET
    assert said(twin, 0.95) == "boot 3 standby 1 pin 1\n"


def test_the_wheels_own_project_boots_and_says_its_demo_lines(cube: Cube) -> None:
    twin = Twin(load_image(cube.build_project()), hse_hz=8_000_000)
    text = said(twin, 0.2, number=3)
    assert "DEMO EXPORT CPP" in text
    assert "END DEMO" in text
